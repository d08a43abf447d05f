import { expect } from 'chai';
import { OwnHandshakes } from '../../../lib/worker/own-handshakes.js';
import { craftWith, extension, vector16 } from '../tls/client-hello-bytes.js';

const MARKER = 'peter-sslers-proxy/0123';
const offering = (...protocols: string[]): Buffer => {
  const names = protocols.map((name) => Buffer.from([name.length, ...Buffer.from(name)]));
  return craftWith(extension(16, vector16(Buffer.concat(names))));
};
const MARKED = offering('h2', 'http/1.1', MARKER);
const one = { handshake: '1-1' };

describe('Handshakes of the program itself', () => {
  let nowMs: number;
  let own: OwnHandshakes;

  beforeEach(() => {
    nowMs = 0;
    own = new OwnHandshakes(() => nowMs);
  });

  it('are those that offer the expected word, and each is taken once', () => {
    own.expect(MARKER, 1_000);
    own.see(one, MARKED);
    expect(own.take({ handshake: '1-2' })).to.equal(false);
    expect(own.take(one)).to.equal(true);
    expect(own.take(one)).to.equal(false);
  });

  it('are none that offer something else, or nothing', () => {
    own.expect(MARKER, 1_000);
    for (const hello of [offering('h2', `${MARKER}4`), offering('h2'), craftWith(), Buffer.from('x')]) {
      own.see(one, hello);
      expect(own.take(one)).to.equal(false);
    }
    expect(own.take({})).to.equal(false);
  });

  it('are none before the word is told, after it is forgotten, and after its time', () => {
    own.see(one, MARKED);
    expect(own.take(one)).to.equal(false);
    own.expect(MARKER, 1_000);
    own.expect(MARKER, 0);
    own.see(one, MARKED);
    expect(own.take(one)).to.equal(false);
    own.expect(MARKER, 1_000);
    nowMs = 1_000;
    own.see(one, MARKED);
    expect(own.take(one)).to.equal(false);
  });

  it('are known by two words at a time, and one that has begun also after its word is forgotten', () => {
    own.expect(MARKER, 1_000);
    own.expect('other', 1_000);
    own.see(one, MARKED);
    own.expect(MARKER, 0);
    own.see({ handshake: '1-2' }, offering('other'));
    expect([own.take(one), own.take({ handshake: '1-2' })]).to.deep.equal([true, true]);
  });
});
