import { expect } from 'chai';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { HpackEncoder } from '../../../../../lib/proxy/http2/hpack/encoder.js';
import { anyDecoder } from '../../../../support/hpack.js';

const hexOf = (encoder: HpackEncoder, ...fields: string[]): string => encoder.encode(fields).toString('hex');
/** Nothing is shortened, so that the octets can be read. */
const plain = (): HpackEncoder => new HpackEncoder({ usesHuffman: false });

describe('An encoder', () => {
  it('names by index what the static table has', () => {
    expect(hexOf(plain(), ':status', '200', ':status', '404', 'accept-encoding', 'gzip, deflate')).to.equal(
      '888d90',
    );
    expect(hexOf(plain(), ':method', 'POST', 'server', '')).to.equal('83b6');
  });

  it('names by index what it has sent before', () => {
    const encoder = plain();
    expect(hexOf(encoder, 'a', 'b', 'server', 'c')).to.equal('4001610162760163');
    expect(hexOf(encoder, 'server', 'c', 'a', 'b')).to.equal('bebf');
    // The value alone is another.
    expect(hexOf(encoder, 'a', 'd', 'a', 'b', 'a', 'd')).to.equal('7f000164c0be');
  });

  it('finds each of the values that a name has had', () => {
    const encoder = plain();
    const types = Array.from({ length: 20 }, (_, i) => `type/${i}`);
    for (const type of types) encoder.encode(['content-type', type]);
    for (const [i, type] of types.entries())
      expect(encoder.encode(['content-type', type])[0]).to.equal(0x80 + 62 + 19 - i);
  });

  it('forgets what is evicted', () => {
    const encoder = new HpackEncoder({ usesHuffman: false, maxTableBytes: 2 * 34 });
    encoder.encode(['a', '1', 'a', '2']);
    expect(hexOf(encoder, 'b', '3')).to.equal('4001620133');
    expect(hexOf(encoder, 'a', '2')).to.equal('bf');
    // The name is taken from the entry that makes room.
    expect(hexOf(encoder, 'a', '1')).to.equal('7f000131');
    expect(hexOf(encoder, 'b', '3', 'a', '1')).to.equal('bfbe');
    encoder.encode(['c', '4', 'd', '5']);
    expect(hexOf(encoder, 'a', '1')).to.equal('4001610131');
  });

  it('never has secrets indexed', () => {
    const encoder = plain();
    for (let i = 0; i < 2; i++) {
      expect(hexOf(encoder, 'cookie', 'a')).to.equal('1f110161');
      expect(hexOf(encoder, 'Set-Cookie', 'a')).to.equal('1f280161');
      expect(hexOf(encoder, 'authorization', 'a')).to.equal('1f080161');
      expect(hexOf(encoder, 'proxy-authorization', 'a')).to.equal('1f220161');
      expect(hexOf(encoder, 'cookie', '')).to.equal('1f1100');
      // And what has come so.
      expect(encoder.encode(['x', 'y'], ['x']).toString('hex')).to.equal('1001780179');
      expect(encoder.encode([':status', '200'], [':status']).toString('hex')).to.equal('1803323030');
    }
    expect(encoder.tableBytes).to.equal(0);
    expect(encoder.encode(['x', 'y', 'z', 'y'], ['z']).toString('hex')).to.equal('4001780179' + '10017a0179');
    expect(encoder.encode(['x', 'y'], ['x']).toString('hex')).to.equal('1f2f0179');
  });

  it('does not fill its table with what hardly comes twice', () => {
    const encoder = plain();
    for (const name of ['content-length', 'etag', 'last-modified', 'location', ':path', 'x-request-id']) {
      const block = encoder.encode([name, 'x']);
      expect((block[0] ?? 0) & 0xf0, name).to.equal(0);
      expect(anyDecoder().decode(block).fields).to.deep.equal([name, 'x']);
    }
    encoder.encode(['x-large', 'x'.repeat(3_100)]);
    expect(encoder.tableBytes).to.equal(0);
    encoder.encode(['date', 'Mon, 21 Oct 2013 20:13:21 GMT']);
    expect(encoder.tableBytes).to.equal(65);
  });

  it('sends names in lower case, and finds them in either', () => {
    const encoder = plain();
    expect(hexOf(encoder, 'X-A', 'b', 'Server', 'C')).to.equal('4003782d610162760143');
    expect(hexOf(encoder, 'x-a', 'b', 'SERVER', 'C')).to.equal('bfbe');
    // Others than letters stay what they are.
    expect(hexOf(plain(), 'À@[', '')).to.equal('4003c0405b00');
  });

  it("uses Huffman's code where it is not longer", () => {
    expect(hexOf(new HpackEncoder(), ':path', '/sample/path')).to.equal(
      '0489' + '61 03 a6 ba 0a c5 63 4c ff'.replaceAll(' ', ''),
    );
    expect(hexOf(new HpackEncoder(), 'server', '\n')).to.equal('76010a');
    const all = Array.from({ length: 256 }, (_, i) => String.fromCharCode(i)).join('');
    expect(hexOf(new HpackEncoder(), 'server', all)).to.equal(
      `767f8101${Buffer.from(all, 'latin1').toString('hex')}`,
    );
  });

  it('knows names again after it has met more than it remembers', () => {
    const encoder = new HpackEncoder();
    const decoder = anyDecoder();
    for (let i = 0; i < 3_000; i++) {
      const fields = [`x-${i}`, 'a', 'server', 'b', 'x-always', 'c', 'x-' + 'y'.repeat(i % 200), 'd'];
      expect(decoder.decode(encoder.encode(fields)).fields).to.deep.equal(fields);
    }
    expect(encoder.encode(['server', 'b'])).to.have.length(1);
  });

  it('never needs more room than it has asked for', () => {
    // The longest codes, behind which it is seen late that they do not pay.
    for (const value of [
      '\n',
      '\n\n',
      '\n'.repeat(126),
      '\n'.repeat(127),
      '\xf9'.repeat(300),
      'a'.repeat(20_000),
      `${'a'.repeat(60)}\n\n\n`,
    ]) {
      const fields = [`${value}a`, value];
      expect(anyDecoder().decode(new HpackEncoder().encode(fields)).fields).to.deep.equal(fields);
    }
  });
});

describe('What an encoder keeps of a head', () => {
  it('does not keep all of it in memory', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const encoder = new HpackEncoder();
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 50; i++) {
      const name = `x-name-of-a-field-${i}`;
      const head = Buffer.alloc(1_000_000, `${name}: `).toString('latin1');
      encoder.encode([head.slice(0, name.length), head.slice(30, 60)]);
    }
    expect(encoder.tableBytes).to.be.above(3_500);
    collect();
    expect(process.memoryUsage().heapUsed - before).to.be.below(10_000_000);
  });
});

describe('The table of an encoder', () => {
  const filled = (): HpackEncoder => {
    const encoder = plain();
    encoder.encode(['a', 'b', 'c', 'd']);
    return encoder;
  };

  it('shrinks when the other side says so, and the next block begins with that', () => {
    const encoder = filled();
    encoder.changePeerMaxTableBytes(60);
    expect(hexOf(encoder, 'a', 'b')).to.equal('3f1d' + '4001610162');
    expect(encoder.tableBytes).to.equal(34);
    expect(hexOf(encoder, 'a', 'b')).to.equal('be');
  });

  it('is told of by its smallest size and then by its last', () => {
    const encoder = filled();
    encoder.changePeerMaxTableBytes(40);
    encoder.changePeerMaxTableBytes(0);
    encoder.changePeerMaxTableBytes(100);
    expect(hexOf(encoder, 'c', 'd')).to.equal('20' + '3f45' + '4001630164');
    const other = filled();
    other.changePeerMaxTableBytes(40);
    other.changePeerMaxTableBytes(65_536);
    expect(hexOf(other, 'c', 'd')).to.equal('3f09' + '3fe11f' + 'be');
    // And not again.
    expect(hexOf(other, 'c', 'd')).to.equal('be');
  });

  it('is not told of where it stays what it was', () => {
    const encoder = filled();
    encoder.changePeerMaxTableBytes(65_536);
    expect(hexOf(encoder, 'c', 'd')).to.equal('be');
    encoder.changePeerMaxTableBytes(40);
    encoder.encode([]);
    encoder.changePeerMaxTableBytes(100);
    encoder.changePeerMaxTableBytes(40);
    expect(hexOf(encoder, 'c', 'd')).to.equal('be');
  });

  it('grows again, up to what we keep', () => {
    const encoder = new HpackEncoder({ usesHuffman: false, maxTableBytes: 8_192 });
    expect(hexOf(encoder)).to.equal('');
    encoder.changePeerMaxTableBytes(40);
    expect(hexOf(encoder)).to.equal('3f09');
    encoder.changePeerMaxTableBytes(65_536);
    // 8,192
    expect(hexOf(encoder)).to.equal('3fe13f');
  });

  it('is never larger than we keep, and the first block says so', () => {
    const encoder = new HpackEncoder({ usesHuffman: false, maxTableBytes: 0 });
    expect(hexOf(encoder, 'a', 'b')).to.equal('20' + '0001610162');
    expect(hexOf(encoder, 'a', 'b')).to.equal('0001610162');
  });
});
