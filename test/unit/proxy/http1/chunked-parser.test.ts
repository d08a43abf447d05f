import { expect } from 'chai';
import { ChunkedParser } from '../../../../lib/proxy/http1/chunked-parser.js';
import { MalformedMessage } from '../../../../lib/proxy/http1/malformed.js';
import { splits } from '../../../support/splits.js';

interface Outcome {
  readonly body: string;
  readonly pieceLengths: readonly number[];
  readonly trailers: readonly string[] | undefined;
  /** Octets behind the body. */
  readonly surplus: string;
  readonly error: string | undefined;
}

function read(pieces: readonly string[]): Outcome {
  const parser = new ChunkedParser();
  const given: Buffer[] = [];
  let surplus = '';
  let error: string | undefined;
  try {
    for (const piece of pieces) {
      const bytes = Buffer.from(piece, 'latin1');
      const end = parser.read(bytes, 0, (part) => given.push(part));
      surplus += piece.slice(end);
    }
  } catch (thrown) {
    if (!(thrown instanceof MalformedMessage)) throw thrown;
    error = thrown.excess ?? 'malformed';
  }
  return {
    // Only now: what was given must stay what it was, whatever came later.
    body: Buffer.concat(given).toString('latin1'),
    pieceLengths: given.map(({ length }) => length),
    trailers: parser.isDone ? parser.trailers : undefined,
    surplus,
    error,
  };
}

const small = (count: number): string => '1\r\nx\r\n'.repeat(count);

describe('A body in chunks', () => {
  const cases: [what: string, text: string, body: string, trailers?: string[]][] = [
    ['may be empty', '0\r\n\r\n', ''],
    ['is what is in its chunks', '4\r\nbody\r\na\r\n0123456789\r\n0\r\n\r\n', 'body0123456789'],
    [
      'may have sizes in either case',
      'a\r\n0123456789\r\n0A\r\nabcdefghij\r\n0\r\n\r\n',
      '0123456789abcdefghij',
    ],
    ['may have zeros before a size', '000000000001\r\nx\r\n000\r\n\r\n', 'x'],
    ['may have extensions', '1;a\r\nx\r\n1;b="c\t;d";e=\xff\r\ny\r\n0;f\r\n\r\n', 'xy'],
    ['may have an empty extension', '1;\r\nx\r\n0;\r\n\r\n', 'x'],
    ['may have trailers', '0\r\nA: b\r\nc:d\r\n\r\n', '', ['A', 'b', 'c', 'd']],
    [
      'may look like chunks itself',
      '8\r\n1\r\nx\r\n\r\n\r\n5\r\n0\r\n\r\n\r\n0\r\n\r\n',
      '1\r\nx\r\n\r\n0\r\n\r\n',
    ],
    ['may have many small chunks', `${small(100)}0\r\n\r\n`, 'x'.repeat(100)],
  ];
  for (const [what, text, body, trailers = []] of cases)
    it(what, () => {
      for (const pieces of splits(`${text}surplus`))
        expect(read(pieces)).to.deep.include({ body, trailers, surplus: 'surplus', error: undefined });
    });

  it('is given in one piece where small chunks come together', () => {
    expect(read([`${small(10_000)}0\r\n\r\n`]).pieceLengths).to.deep.equal([10_000]);
    expect(read([small(3) + '2\r\ny', `y\r\n${small(2)}0\r\n\r\n`])).to.deep.include({
      body: 'xxxyyxx',
      pieceLengths: [4, 3],
    });
  });

  it('is given in one piece of a chunk that comes in one, without being moved', () => {
    const large = 'y'.repeat(5_000);
    const { body, pieceLengths } = read([`${small(2)}1388\r\n${large}\r\n${small(3)}0\r\n\r\n`]);
    expect(body).to.equal(`xx${large}xxx`);
    expect(pieceLengths).to.deep.equal([2, 5_003]);
  });

  it('leaves what comes behind it as it is', () => {
    const bytes = Buffer.from(`${small(3)}0\r\n\r\nGET / HTTP/1.1\r\n\r\n`);
    const end = new ChunkedParser().read(bytes, 0, () => undefined);
    expect(bytes.toString('latin1', end)).to.equal('GET / HTTP/1.1\r\n\r\n');
  });

  it('that is malformed gives nothing of what has come with the fault', () => {
    for (const fault of ['zz\r\n', '1\r\nxx\r\n', '0\r\nA b\r\n\r\n'])
      expect(read([small(5) + fault])).to.deep.include({ body: '', error: 'malformed' });
  });

  it('may have so many digits in a size, and no more', () => {
    expect(read(['0'.repeat(11) + '1\r\nx']).error).to.equal(undefined);
    expect(read(['0'.repeat(12) + '1\r\nx']).error).to.equal('malformed');
    expect(read(['f'.repeat(12)]).error).to.equal(undefined);
  });

  it('may have so many octets of extensions in all, and no more', () => {
    const extended = (each: number, count: number): string =>
      `1;${'e'.repeat(each - 1)}\r\nx\r\n`.repeat(count);
    for (const pieces of [[extended(16_384, 1)], extended(1_024, 16).split(/(?=1;)/)])
      expect(read(pieces)).to.deep.include({ error: undefined });
    for (const pieces of [[extended(16_385, 1)], extended(1_024, 17).split(/(?=1;)/)])
      expect(read(pieces)).to.deep.include({ error: 'chunk extensions' });
  });

  it('may have so many octets of trailers, and no more', () => {
    const trailers = (bytes: number): string => `0\r\nA: ${'b'.repeat(bytes - 'A: \r\n\r\n'.length)}\r\n\r\n`;
    for (const pieces of splits(trailers(65_536))) expect(read(pieces).error).to.equal(undefined);
    for (const pieces of splits(trailers(65_537))) expect(read(pieces).error).to.equal('head');
  });
});
