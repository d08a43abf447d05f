/**
 * What is read of a client's connection: fed as a whole, cut in two at every place, and octet by octet.
 */
import { expect } from 'chai';
import { RequestParser } from '../../../../../lib/proxy/downstream/http1/request-parser.js';
import { MAX_HEAD_BYTES, parseRequests } from '../../../../support/request-recorder.js';
import { splits } from '../../../../support/splits.js';

const GET = 'GET / HTTP/1.1\r\nHost: a.test\r\n\r\n';
const POST = 'POST / HTTP/1.1\r\nHost: a.test\r\n';
const CHUNKED = `${POST}Transfer-Encoding: chunked\r\n\r\n`;

describe('A request of a client', () => {
  const cases: [what: string, text: string, body: string, trailers?: string[]][] = [
    ['has no body by itself', GET, ''],
    ['has none with POST either', `${POST}\r\n`, ''],
    ['has a body as long as it says', `${POST}Content-Length: 4\r\n\r\nbody`, 'body'],
    ['may have an empty one', `${POST}Content-Length: 0\r\n\r\n`, ''],
    [
      'may have one whatever its method',
      `${POST}Content-Length: 4\r\n\r\nbody`.replace('POST', 'GET'),
      'body',
    ],
    ['may have any octets in it', `${POST}Content-Length: 8\r\n\r\n\0\r\n\r\n\xff\n\r`, '\0\r\n\r\n\xff\n\r'],
    ['may come in chunks', `${CHUNKED}4\r\nbody\r\n00A\r\n0123456789\r\n0\r\n\r\n`, 'body0123456789'],
    ['may have no chunk', `${CHUNKED}0\r\n\r\n`, ''],
    ['may have zeros for its last chunk', `${CHUNKED}000\r\n\r\n`, ''],
    ['may have extensions of chunks', `${CHUNKED}1;a="b;c"\r\nx\r\n0;\td\r\n\r\n`, 'x'],
    ['may have line ends in its chunks', `${CHUNKED}4\r\n\r\n\r\n\r\n0\r\n\r\n`, '\r\n\r\n'],
    ['may have trailers', `${CHUNKED}1\r\nx\r\n0\r\nA: b\r\nC:\td \r\n\r\n`, 'x', ['A', 'b', 'C', 'd']],
    ['may come behind empty lines', `\r\n\r\n${GET}`, ''],
    ['may have no fields', 'GET / HTTP/1.1\r\n\r\n', ''],
    [
      'may have a head as long as it may be',
      `GET / HTTP/1.1\r\nA: ${'b'.repeat(MAX_HEAD_BYTES - 'GET / HTTP/1.1\r\nA: '.length)}\r\n\r\n`,
      '',
    ],
  ];
  for (const [what, text, body, trailers = []] of cases) {
    it(what, () => {
      for (const pieces of splits(text)) {
        const { requests, error, isWithin } = parseRequests(pieces);
        const cut = `cut at ${pieces[0]?.length ?? 0}`;
        expect(error, cut).to.equal(undefined);
        expect(
          requests.map((request) => [request.body, request.trailers]),
          cut,
        ).to.deep.equal([[body, trailers]]);
        expect(isWithin).to.equal(false);
      }
    });

    it(`${what}, and the next one is read where it has ended`, () => {
      for (const pieces of splits(`${text}${CHUNKED}1\r\ny\r\n0\r\n\r\n${GET}`)) {
        const { requests, error } = parseRequests(pieces);
        expect(error).to.equal(undefined);
        expect(requests.map((request) => request.body)).to.deep.equal([body, 'y', '']);
      }
    });
  }

  it('is not whole before its last octet', () => {
    for (const [, text] of cases) {
      const { requests, error } = parseRequests([text.slice(0, -1)]);
      expect(error).to.equal(undefined);
      expect(requests.filter(({ trailers }) => trailers !== undefined)).to.deep.equal([]);
    }
  });

  it('is one that has begun only when there is more of it than empty lines', () => {
    for (const [text, isWithin] of [
      ['\r', false],
      ['\r\n', false],
      ['\r\n\r\n', false],
      ['\r\nG', true],
      ['G', true],
      [GET, false],
      [`${CHUNKED}1\r\n`, true],
    ] as const)
      expect(parseRequests([text]).isWithin, JSON.stringify(text)).to.equal(isWithin);
  });

  it('is read no further once the reading is stopped: the rest is dropped', () => {
    const told: string[] = [];
    const parser: RequestParser = new RequestParser(
      {
        onRequestHead: () => void told.push('head'),
        onBodyPiece: () => {
          told.push('piece');
          parser.stop();
        },
        onRequestEnd: () => void told.push('end'),
      },
      MAX_HEAD_BYTES,
    );
    for (const text of [`${CHUNKED}1\r\nx\r\n1\r\ny\r\n0\r\n\r\n${GET}`, GET])
      expect(parser.read(Buffer.from(text), 0)).to.equal(text.length);
    expect(told).to.deep.equal(['head', 'piece']);
    expect(parser.isWithin).to.equal(false);
  });

  it('whose chunks come together gives them together', () => {
    const chunks = (count: number): string => '1\r\nx\r\n'.repeat(count);
    const { requests, pieceCount } = parseRequests([CHUNKED, chunks(500), `${chunks(500)}0\r\n\r\n`]);
    expect(requests[0]?.body).to.equal('x'.repeat(1_000));
    expect(pieceCount).to.equal(2);
  });

  it('whose large chunks come together gives them as they are, and small ones behind them together', () => {
    const large = 'L'.repeat(10_000);
    const text = `${CHUNKED}1\r\na\r\n${`2710\r\n${large}\r\n`.repeat(2)}1\r\nb\r\n1\r\nc\r\n0\r\n\r\n`;
    const { requests, pieceCount } = parseRequests([text]);
    expect(requests[0]?.body).to.equal(`a${large}${large}bc`);
    expect(pieceCount).to.equal(3);
  });
});

describe('A request of a client is refused', () => {
  const cases: [what: string, text: string, error?: string][] = [
    ['when it is another protocol', 'SSH-2.0-OpenSSH\r\n'],
    ['when it is TLS', '\x16\x03\x01\x02\0\x01\0'],
    ['of version 0.9', 'GET /\r\n'],
    ['with an LF behind its line', 'GET / HTTP/1.1\nHost: a.test\r\n\r\n'],
    ['with an LF behind a field', 'GET / HTTP/1.1\r\nHost: a.test\nA: b\r\n\r\n'],
    ['with LFs alone', 'GET / HTTP/1.1\nHost: a.test\n\n'],
    ['with a CR before a CRLF', `${POST}A: b\r\r\n\r\n`],
    ['with a CR before its end', `${POST}A: b\r\n\r\r\n\r\n`],
    ['with a CR in a value', `${POST}A: b\rc\r\n\r\n`],
    ['with a NUL', `${POST}A: b\0`],
    ['with an LF before it', `\n${GET}`],
    ['with a CR before it', `\r${GET}`],
    ['with very many empty lines before it', '\r\n'.repeat(9) + GET],
    ['with a space before it', ` ${GET}`],
    ['with a head that is too long', `${POST}A: ${'b'.repeat(MAX_HEAD_BYTES)}\r\n\r\n`, 'head'],
    ['with a head that is too long, and has no end', `${POST}A: ${'b'.repeat(MAX_HEAD_BYTES)}`, 'head'],
    [
      'with a head that is one octet too long',
      `GET / HTTP/1.1\r\nA: ${'b'.repeat(MAX_HEAD_BYTES + 1 - 'GET / HTTP/1.1\r\nA: '.length)}\r\n\r\n`,
      'head',
    ],
    ['with a chunk without a size', `${CHUNKED}\r\nx\r\n0\r\n\r\n`],
    ['with a chunk of a size that is none', `${CHUNKED}xyz\r\n0\r\n\r\n`],
    ['with a chunk of a signed size', `${CHUNKED}+1\r\nx\r\n0\r\n\r\n`],
    ['with a chunk of a prefixed size', `${CHUNKED}0x1\r\nx\r\n0\r\n\r\n`],
    ['with a space behind a chunk size', `${CHUNKED}1 \r\nx\r\n0\r\n\r\n`],
    ['with a space before an extension', `${CHUNKED}1 ;a\r\nx\r\n0\r\n\r\n`],
    ['with a space before a chunk size', `${CHUNKED} 1\r\nx\r\n0\r\n\r\n`],
    ['with an LF behind a chunk size', `${CHUNKED}1\nx\r\n0\r\n\r\n`],
    ['with a CR alone behind a chunk size', `${CHUNKED}1\rx\r\n0\r\n\r\n`],
    ['with two CRs behind a chunk size', `${CHUNKED}1\r\r\nx\r\n0\r\n\r\n`],
    ['with an LF in a chunk extension', `${CHUNKED}1;a\nx\r\n0\r\n\r\n`],
    ['with a CR in a chunk extension', `${CHUNKED}1;a\rb\r\nx\r\n0\r\n\r\n`],
    ['with a NUL in a chunk extension', `${CHUNKED}1;a\0\r\nx\r\n0\r\n\r\n`],
    ['with a chunk size that is too long', `${CHUNKED}${'0'.repeat(12)}1\r\nx\r\n0\r\n\r\n`],
    ['with a chunk that is longer than it says', `${CHUNKED}1\r\nxy\r\n0\r\n\r\n`],
    ['with a chunk that is shorter than it says', `${CHUNKED}3\r\nx\r\n0\r\n\r\n`],
    ['with an LF behind a chunk', `${CHUNKED}1\r\nx\n0\r\n\r\n`],
    ['with a CR alone behind a chunk', `${CHUNKED}1\r\nx\r0\r\n\r\n`],
    ['with nothing behind a chunk', `${CHUNKED}1\r\nx0\r\n\r\n`],
    ['with two line ends behind a chunk', `${CHUNKED}1\r\nx\r\n\r\n0\r\n\r\n`],
    ['with an LF behind its last chunk', `${CHUNKED}0\n\r\n`],
    ['with chunk extensions that are too long', `${CHUNKED}1;${'a'.repeat(20_000)}`, 'chunk extensions'],
    [
      'with many chunk extensions',
      `${CHUNKED}${`1;${'a'.repeat(99)}\r\nx\r\n`.repeat(200)}`,
      'chunk extensions',
    ],
    ['with a malformed trailer', `${CHUNKED}0\r\nA b\r\n\r\n`],
    ['with a folded trailer', `${CHUNKED}0\r\nA: b\r\n c\r\n\r\n`],
    ['with an LF behind a trailer', `${CHUNKED}0\r\nA: b\n\r\n`],
    ['with a NUL in a trailer', `${CHUNKED}0\r\nA: b\0\r\n\r\n`],
    ['with an LF in place of its last line', `${CHUNKED}0\r\n\n`],
    ['with another request in place of its trailers', `${CHUNKED}0\r\n${GET}`],
    ['with trailers that are too long', `${CHUNKED}0\r\n${`A: ${'b'.repeat(1000)}\r\n`.repeat(70)}`, 'head'],
  ];
  for (const [what, text, expected = 'malformed'] of cases) {
    it(what, () => {
      for (const pieces of splits(text)) {
        const { error, requests } = parseRequests(pieces);
        expect(error, `cut at ${pieces[0]?.length ?? 0}`).to.equal(expected);
        expect(requests.filter(({ trailers }) => trailers !== undefined)).to.deep.equal([]);
      }
    });

    it(`${what}, also behind another one`, () => {
      for (const pieces of splits(GET + text)) {
        const { error, requests } = parseRequests(pieces);
        expect(error).to.equal(expected);
        expect(requests.filter(({ trailers }) => trailers !== undefined)).to.have.length(1);
      }
    });
  }

  it('by its first line already where that is none', () => {
    for (const [text, error] of [
      ['GET / HTTP/1.1\r\n', undefined],
      ['EHLO a.test\r\n', 'malformed'],
      ['GET /a b HTTP/1.1\r\n', 'malformed'],
      ['GET /\r\n', 'malformed'],
    ] as const)
      for (const pieces of splits(text)) expect(parseRequests(pieces).error, text).to.equal(error);
  });
});
