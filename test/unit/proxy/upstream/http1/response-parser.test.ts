/**
 * What is understood of a backend's answer, and what is refused: fed as a whole, cut in two at every place, and octet by octet.
 */
import { expect } from 'chai';
import type { ResponseHead } from '../../../../../lib/proxy/upstream/http1/response-head.js';
import {
  ResponseParser,
  type ResponseListener,
} from '../../../../../lib/proxy/upstream/http1/response-parser.js';
import { splits } from '../../../../support/splits.js';

/** What a response has come to, told in one line. */
class Recorder implements ResponseListener {
  told: string[] = [];
  body = '';
  head: ResponseHead | undefined;
  isOver = false;

  onInterimHead({ status, fields }: ResponseHead): void {
    this.told.push(`interim ${status} ${fields.join('|')}`);
  }

  onResponseHead(head: ResponseHead): void {
    this.head = head;
    this.told.push(`${head.status} ${head.reason} ${head.fields.join('|')}`);
  }

  onUpgradeHead({ fields }: ResponseHead): void {
    this.told.push(`upgrade ${fields.join('|')}`);
  }

  onBodyPiece(piece: Buffer): void {
    expect(piece.length).to.be.above(0);
    this.body += piece.toString('latin1');
  }

  onResponseEnd(trailers: readonly string[]): void {
    expect(this.isOver).to.equal(false);
    this.isOver = true;
    this.told.push(`end ${trailers.join('|')}`);
  }
}

interface Outcome {
  readonly told: readonly string[];
  readonly body: string;
  readonly head: ResponseHead | undefined;
  readonly isOver: boolean;
  /** Octets behind the response. */
  readonly surplus: number;
  readonly error: string | undefined;
}

function read(pieces: readonly string[], method = 'GET', isEnded = false): Outcome {
  const recorder = new Recorder();
  const reader = new ResponseParser(recorder);
  reader.start(method);
  let surplus = 0;
  let error: string | undefined;
  try {
    for (const piece of pieces) {
      const bytes = Buffer.from(piece, 'latin1');
      surplus += bytes.length - reader.read(bytes);
      // Whose buffer it is will be written over.
      bytes.fill('?');
    }
    if (isEnded) reader.end();
  } catch (thrown) {
    error = (thrown as Error).message;
  }
  const { told, body, head, isOver } = recorder;
  return { told, body, head, isOver, surplus, error };
}

const OK = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;

describe('A response of a backend', () => {
  const cases: [what: string, text: string, told: string[], body: string, method?: string][] = [
    [
      'has a body as long as it says',
      `${OK}Content-Length: 4\r\n\r\nbody`,
      ['200 OK Content-Length|4', 'end '],
      'body',
    ],
    ['may have an empty one', `${OK}content-length: 0\r\n\r\n`, ['200 OK content-length|0', 'end '], ''],
    [
      'may have no reason',
      'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n',
      ['200  Content-Length|0', 'end '],
      '',
    ],
    [
      'may have an empty reason',
      'HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n',
      ['200  Content-Length|0', 'end '],
      '',
    ],
    [
      'has values as they came, but for the blanks around them',
      `${OK}A:b\r\nC: \t d e \t\r\nF:\r\nG: \xe9\r\nContent-Length: 0\r\n\r\n`,
      ['200 OK A|b|C|d e|F||G|\xe9|Content-Length|0', 'end '],
      '',
    ],
    [
      'may come in chunks',
      `${CHUNKED}4\r\nbody\r\n00A\r\n0123456789\r\n0\r\n\r\n`,
      ['200 OK Transfer-Encoding|chunked', 'end '],
      'body0123456789',
    ],
    [
      'may have extensions of chunks',
      `${CHUNKED}1;a=b\r\nx\r\n0;c\r\n\r\n`,
      ['200 OK Transfer-Encoding|chunked', 'end '],
      'x',
    ],
    [
      'may have chunk sizes that are padded with blanks',
      `${CHUNKED}4    \r\nbody\r\n1 \t;a=b\r\nx\r\n0 \r\n\r\n`,
      ['200 OK Transfer-Encoding|chunked', 'end '],
      'bodyx',
    ],
    [
      'may say its length twice, which is passed on once',
      `${OK}Content-Length: 4\r\nA: b\r\ncontent-length: 4\r\nC: d\r\n\r\nbody`,
      ['200 OK Content-Length|4|A|b|C|d', 'end '],
      'body',
    ],
    [
      'may have its length as a list of the same',
      `${OK}A: b\r\nContent-Length: 4, 4 ,4\r\nContent-Length: 4\r\n\r\nbody`,
      ['200 OK A|b|Content-Length|4', 'end '],
      'body',
    ],
    [
      'may have trailers',
      `${CHUNKED}1\r\nx\r\n0\r\nA: b\r\nC: d\r\n\r\n`,
      ['200 OK Transfer-Encoding|chunked', 'end A|b|C|d'],
      'x',
    ],
    [
      'has no body in answer to HEAD',
      `${OK}Content-Length: 4\r\n\r\n`,
      ['200 OK Content-Length|4', 'end '],
      '',
      'HEAD',
    ],
    ['has no chunks in answer to HEAD', CHUNKED, ['200 OK Transfer-Encoding|chunked', 'end '], '', 'HEAD'],
    ['has no body with 204', 'HTTP/1.1 204 No Content\r\n\r\n', ['204 No Content ', 'end '], ''],
    [
      'has no body with 304',
      'HTTP/1.1 304 X\r\nContent-Length: 9\r\n\r\n',
      ['304 X Content-Length|9', 'end '],
      '',
    ],
    [
      'may come after others that are none',
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${OK}Content-Length: 1\r\n\r\nx`,
      ['interim 100 ', 'interim 103 Link|</a>', '200 OK Content-Length|1', 'end '],
      'x',
    ],
  ];
  for (const [what, text, told, body, method] of cases) {
    it(what, () => {
      for (const pieces of splits(text)) {
        const outcome = read(pieces, method);
        expect(outcome).to.deep.include({ told, body, isOver: true, surplus: 0, error: undefined });
      }
    });

    it(`${what}, and leaves what comes behind it`, () => {
      for (const pieces of splits(`${text}${OK}`)) {
        const outcome = read(pieces, method);
        expect(outcome).to.deep.include({ told, body, isOver: true, surplus: OK.length, error: undefined });
      }
    });
  }

  it('without a length lasts until the connection is ended', () => {
    for (const pieces of splits(`${OK}\r\nbody`)) {
      expect(read(pieces)).to.deep.include({ body: 'body', isOver: false });
      expect(read(pieces, 'GET', true)).to.deep.include({ body: 'body', isOver: true });
    }
  });

  it('that has a length or chunks does not end with the connection', () => {
    for (const text of [
      `${OK}Content-Length: 5\r\n\r\nbody`,
      `${CHUNKED}4\r\nbody\r\n`,
      `${CHUNKED}4\r\nbody\r\n0\r\n`,
      OK,
    ]) {
      for (const pieces of splits(text))
        expect(read(pieces, 'GET', true)).to.deep.include({ isOver: false, error: undefined });
    }
  });

  const kept: [what: string, head: string, expected: Partial<ResponseHead>][] = [
    ['keeps the connection', OK, { isKept: true, keepAliveMs: undefined }],
    ['closes it by a word', `${OK}Connection: close\r\n`, { isKept: false }],
    ['closes it by a word among others', `${OK}Connection: X-A, CLOSE\r\n`, { isKept: false }],
    [
      'closes it by a word in a second field',
      `${OK}Connection: keep-alive\r\nConnection: close\r\n`,
      { isKept: false },
    ],
    ['closes it by its version', 'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n', { isKept: false }],
    [
      'says how long it is kept',
      `${OK}Keep-Alive: timeout=5, max=100\r\n`,
      { isKept: true, keepAliveMs: 5_000 },
    ],
  ];
  for (const [what, head, expected] of kept) {
    it(what, () => expect(read([`${head}Content-Length: 0\r\n\r\n`]).head).to.deep.include(expected));
  }
});

describe('A response of a backend is refused', () => {
  const field = (line: string): string => `${OK}${line}\r\n\r\nbody`;
  const cases: [what: string, text: string][] = [
    ['when it is no HTTP', 'SSH-2.0-OpenSSH\r\n\r\n'],
    ['of another version', 'HTTP/2.0 200 OK\r\n\r\n'],
    ['of version 0.9', 'HTTP/0.9 200 OK\r\n\r\n'],
    ['with a lower-case version', 'http/1.1 200 OK\r\n\r\n'],
    ['with a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
    ['with a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
    ['with a status below 100', 'HTTP/1.1 099 OK\r\n\r\n'],
    ['with two spaces before its status', 'HTTP/1.1  200 OK\r\n\r\n'],
    ['with a control character in its reason', 'HTTP/1.1 200 O\x01K\r\n\r\n'],
    ['with an empty line before it', `\r\n${OK}\r\n`],
    ['that changes the protocol', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n'],
    ['with two lengths', field('Content-Length: 4\r\nContent-Length: 5')],
    ['with a list of two lengths', field('Content-Length: 4, 5')],
    ['with a list of lengths and another', field('Content-Length: 4, 4\r\nContent-Length: 5')],
    ['with a list of a length and none', field('Content-Length: 4,')],
    ['with a list of lengths without a comma', field('Content-Length: 4 4')],
    [
      'with a length twice, and chunks',
      field('Content-Length: 4\r\nContent-Length: 4\r\nTransfer-Encoding: chunked'),
    ],
    ['with a signed length', field('Content-Length: +4')],
    ['with a negative length', field('Content-Length: -4')],
    ['with a hexadecimal length', field('Content-Length: 0x4')],
    ['with a length that is a fraction', field('Content-Length: 4.0')],
    ['with a length that is too long', field('Content-Length: 1234567890123456')],
    ['with an empty length', field('Content-Length:')],
    ['with a length and chunks', field('Content-Length: 4\r\nTransfer-Encoding: chunked')],
    ['with chunks and a length', field('Transfer-Encoding: chunked\r\nContent-Length: 4')],
    ['with another coding', field('Transfer-Encoding: gzip')],
    ['with another coding before chunks', field('Transfer-Encoding: gzip, chunked')],
    ['with chunks before another coding', field('Transfer-Encoding: chunked, identity')],
    ['with chunks twice', field('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked')],
    ['with a coding with a control character', field('Transfer-Encoding: \x0bchunked')],
    ['with chunks in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['with a folded line', field('A: b\r\n c')],
    ['with a folded first line', field(' A: b')],
    ['with a space before a colon', field('Content-Length : 4')],
    ['with a tab before a colon', field('A\t: b')],
    ['with a field without a colon', field('A')],
    ['with a field without a name', field(': b')],
    ['with a name that is none', field('A(b): c')],
    ['with a name beyond ASCII', field('\xc4: c')],
    ['with a NUL in a value', field('A: b\0c')],
    ['with a NUL in a name', field('A\0: c')],
    ['with a DEL in a value', field('A: b\x7f')],
    ['with a CR in a value', field('A: b\rContent-Length: 4')],
    ['with a CR before a CRLF', field('A: b\r')],
    ['with an LF in place of CRLF', `${OK}A: b\nContent-Length: 4\r\n\r\nbody`],
    ['with an LF behind its status line', 'HTTP/1.1 200 OK\nContent-Length: 4\r\n\r\nbody'],
    ['with a head that is too long', `${OK}${`A: ${'b'.repeat(1000)}\r\n`.repeat(90)}\r\n`],
    ['with hints without an end', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(40)],
    ['with a chunk without a size', `${CHUNKED}\r\nx\r\n0\r\n\r\n`],
    ['with a chunk of a size that is none', `${CHUNKED}xyz\r\n0\r\n\r\n`],
    ['with a chunk of a signed size', `${CHUNKED}+1\r\nx\r\n0\r\n\r\n`],
    ['with a chunk of a prefixed size', `${CHUNKED}0x1\r\nx\r\n0\r\n\r\n`],
    ['with a digit behind a padded chunk size', `${CHUNKED}1 0\r\nx\r\n0\r\n\r\n`],
    ['with an LF behind a padded chunk size', `${CHUNKED}1 \nx\r\n0\r\n\r\n`],
    ['with another blank behind a chunk size', `${CHUNKED}1\x0b\r\nx\r\n0\r\n\r\n`],
    ['with a chunk size that is padded too much', `${CHUNKED}1${' '.repeat(20_000)}\r\nx`],
    ['with a blank behind a chunk', `${CHUNKED}1\r\nx \r\n0\r\n\r\n`],
    ['with a space before a chunk size', `${CHUNKED} 1\r\nx\r\n0\r\n\r\n`],
    ['with an LF behind a chunk size', `${CHUNKED}1\nx\r\n0\r\n\r\n`],
    ['with a CR alone behind a chunk size', `${CHUNKED}1\rx\r\n0\r\n\r\n`],
    ['with an LF in a chunk extension', `${CHUNKED}1;a\nx\r\n0\r\n\r\n`],
    ['with a chunk size that is too long', `${CHUNKED}${'f'.repeat(13)}\r\nx`],
    ['with a chunk that is longer than it says', `${CHUNKED}1\r\nxy\r\n0\r\n\r\n`],
    ['with an LF behind a chunk', `${CHUNKED}1\r\nx\n0\r\n\r\n`],
    ['with nothing behind a chunk', `${CHUNKED}1\r\nx0\r\n\r\n`],
    ['with chunk extensions that are too long', `${CHUNKED}1;${'a'.repeat(20_000)}\r\nx`],
    ['with a malformed trailer', `${CHUNKED}0\r\nA b\r\n\r\n`],
    ['with a folded trailer', `${CHUNKED}0\r\nA: b\r\n c\r\n\r\n`],
    ['with an LF behind a trailer', `${CHUNKED}0\r\nA: b\n\r\n`],
    ['with an LF in place of its last line', `${CHUNKED}0\r\n\n`],
    ['with trailers that are too long', `${CHUNKED}0\r\n${`A: ${'b'.repeat(1000)}\r\n`.repeat(70)}`],
  ];
  for (const [what, text] of cases) {
    it(what, () => {
      for (const pieces of splits(text)) {
        const { error, isOver } = read(pieces);
        expect(error, JSON.stringify(pieces).slice(0, 200)).to.be.a('string');
        expect(isOver).to.equal(false);
      }
    });
  }
});
