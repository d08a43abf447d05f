import { expect } from 'chai';
import { HeadReader } from '../../../../lib/proxy/http1/head-reader.js';
import { MalformedMessage } from '../../../../lib/proxy/http1/malformed.js';
import { splits } from '../../../support/splits.js';

const MAX_BYTES = 50;

/** The text of a head and what has come behind it; or what is wrong. */
function read(
  pieces: readonly string[],
  reader = new HeadReader(MAX_BYTES),
): [string, string] | string | undefined {
  let whole: [string, string] | undefined;
  try {
    for (const piece of pieces) {
      const bytes = Buffer.from(piece, 'latin1');
      if (whole !== undefined) whole[1] += piece;
      else {
        const end = reader.read(bytes, 0);
        if (end !== -1) whole = [reader.text, piece.slice(end)];
      }
      bytes.fill('?');
    }
  } catch (thrown) {
    if (!(thrown instanceof MalformedMessage)) throw thrown;
    return thrown.excess ?? 'malformed';
  }
  return whole;
}

describe('The reader of heads', () => {
  it('finds the end of a head, and leaves what follows', () => {
    for (const text of ['a\r\nb: \xff\tc\r\n', 'a\r\n', `${'x'.repeat(MAX_BYTES - 2)}\r\n`])
      for (const rest of ['', 'rest', '\r\n\r\n', '\n', '\0'])
        for (const pieces of splits(`${text}\r\n${rest}`)) expect(read(pieces)).to.deep.equal([text, rest]);
  });

  it('takes a head that is as long as it may be, and no longer one', () => {
    for (const pieces of splits(`${'x'.repeat(MAX_BYTES)}\r\n\r\n`))
      expect(read(pieces)).to.deep.equal([`${'x'.repeat(MAX_BYTES)}\r\n`, '']);
    for (const end of ['\r\n\r\n', '', '\r\n', 'xxxxxxxx'])
      for (const pieces of splits(`${'x'.repeat(MAX_BYTES + 4)}${end}`))
        expect(read(pieces)).to.equal('head');
    for (const pieces of splits(`${'x'.repeat(MAX_BYTES + 1)}\r\n\r\n`))
      expect(read(pieces)).to.equal('head');
  });

  it('gives up one that cannot become valid before it is whole', () => {
    for (const text of ['a\0', 'a\r\nb: \x01', 'a\x7f', 'a\n', '\n', 'a\r\nb\n', 'a\x1b', 'a\x0bb'])
      for (const pieces of splits(text)) expect(read(pieces), JSON.stringify(text)).to.equal('malformed');
  });

  it('tells what has come of one', () => {
    const reader = new HeadReader(MAX_BYTES);
    expect([reader.hasBegun, reader.beginning]).to.deep.equal([false, '']);
    reader.read(Buffer.from('GET'), 0);
    reader.read(Buffer.from('xx /\r'), 2);
    expect([reader.hasBegun, reader.beginning]).to.deep.equal([true, 'GET /\r']);
    expect(reader.read(Buffer.from('\n\r\nrest'), 0)).to.equal(3);
    expect([reader.hasBegun, reader.beginning, reader.text]).to.deep.equal([false, '', 'GET /\r\n']);
  });

  it('forgets what has come of one', () => {
    const reader = new HeadReader(MAX_BYTES);
    reader.read(Buffer.from('GET'), 0);
    reader.reset();
    expect(read(['a\r\n\r', '\n'], reader)).to.deep.equal(['a\r\n', '']);
  });

  it('reads heads that are longer than what it keeps at first', () => {
    const text = `${'x'.repeat(99)}\r\n`.repeat(300);
    const pieces = `${text}\r\n`.match(/[^]{1,1000}/g) ?? [];
    expect(read(pieces, new HeadReader(40_000))).to.deep.equal([text, '']);
  });
});
