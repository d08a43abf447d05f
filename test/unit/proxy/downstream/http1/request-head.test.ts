/**
 * What is understood of the head of a client's request.
 */
import { expect } from 'chai';
import {
  parseRequestHead,
  parseRequestLine,
  type RequestHead,
} from '../../../../../lib/proxy/downstream/http1/request-head.js';
import { MAX_FIELDS } from '../../../../../lib/proxy/headers/headers.js';
import { MalformedMessage } from '../../../../../lib/proxy/http1/malformed.js';

const HIGH = String.fromCharCode(...Array.from({ length: 0x80 }, (_, i) => 0x80 + i));

const head = (fields: readonly string[], line = 'POST / HTTP/1.1'): RequestHead =>
  parseRequestHead([line, ...fields, ''].join('\r\n'));
const http10 = (...fields: readonly string[]): RequestHead => head(fields, 'GET / HTTP/1.0');
const many = (count: number): string[] => Array.from({ length: count }, () => 'a: b');

describe('The line of a request', () => {
  for (const method of ['GET', 'get', 'BAN', 'VERSION-CONTROL', 'RPC_IN_DATA', 'M-SEARCH', "!#$%&'*+-.^_`|~"])
    it(`may have the method ${method}`, () =>
      expect(parseRequestLine(`${method} / HTTP/1.1`)).to.deep.equal({
        method,
        target: '/',
        version: '1.1',
      }));

  it('may have every visible octet in its target', () => {
    const visible = String.fromCharCode(...Array.from({ length: 0x7f - 0x21 }, (_, i) => 0x21 + i));
    const target = `/${visible}${HIGH}`;
    expect(parseRequestLine(`GET ${target} HTTP/1.1`).target).to.equal(target);
  });

  const malformed = [
    ...['', ' ', 'GET', 'GET /', 'GET / ', 'GET / HTTP', 'GET / HTTP/', 'GET / HTTP/1', 'GET / HTTP/1.'],
    ...['GET  / HTTP/1.1', 'GET /  HTTP/1.1', ' GET / HTTP/1.1', 'GET / HTTP/1.1 ', 'GET\t/ HTTP/1.1'],
    ...['GET / http/1.1', 'GET / Http/1.1', 'GET / HTTP/1,1', 'GET / HTTP/11', 'GET / HTTP/1.10'],
    ...['GET / HTTP/01.1', 'GET / HTTP/1.1.1', 'GET / HTTP /1.1', 'GET / HTTP/ 1.1', 'GET / HTTP/+1.1'],
    ...['GET / HTTPS/1.1', 'GET / ICAP/1.0', 'G@T / HTTP/1.1', 'G:T / HTTP/1.1', 'GET: / HTTP/1.1'],
    ...[
      'GET /a b HTTP/1.1',
      'GET /a\tb HTTP/1.1',
      'GET /\0 HTTP/1.1',
      'GET /\x7f HTTP/1.1',
      'GET /\x1f HTTP/1.1',
    ],
    ...['GET /\r HTTP/1.1', 'GET /\nHTTP/1.1', 'GET / HTTP/1.1\r', 'GET / HTTP/1.1\n', '\xe9 / HTTP/1.1'],
    ...[
      'HTTP/1.1 200 OK',
      '/ HTTP/1.1',
      'GET HTTP/1.1',
      '"GET" / HTTP/1.1',
      'GET / HTTP/1.\xb9',
      'GET /HTTP/1.1',
    ],
  ];
  for (const line of malformed)
    it(`is malformed as ${JSON.stringify(line)}`, () =>
      expect(() => parseRequestLine(line)).to.throw(MalformedMessage));
});

describe('The head of a request', () => {
  const read: [what: string, parsed: RequestHead, expected: Partial<RequestHead>][] = [
    ['has no body by itself', head([]), { hasBody: false, isChunked: false, contentLength: undefined }],
    ['may have a length', head(['content-LENGTH: 4']), { hasBody: true, contentLength: 4 }],
    ['may have no length to speak of', head(['Content-Length: 0']), { hasBody: false, contentLength: 0 }],
    ['may have zeros before its length', head(['Content-Length: 000000000000004']), { contentLength: 4 }],
    ['may have chunks', head(['TRANSFER-encoding: \t ChUnKeD \t']), { hasBody: true, isChunked: true }],
    ['is kept by itself', head([]), { isKept: true }],
    ['is not kept in HTTP/1.0', http10(), { isKept: false }],
    ['is kept in HTTP/1.0 on request', http10('Connection: keep-alive'), { isKept: true }],
    ['is kept in HTTP/1.0 whatever the case', http10('CONNECTION: Keep-Alive, x'), { isKept: true }],
    ['is not kept on request', head(['Connection: close']), { isKept: false }],
    ['is not kept whatever the case', head(['connection: x ,CLOSE\t']), { isKept: false }],
    ['is not kept by a word that others follow', head(['Connection: close, keep-alive']), { isKept: false }],
    ['is not kept by a word behind others', head(['Connection: keep-alive, close']), { isKept: false }],
    [
      'is not kept by one of two fields',
      head(['Connection: close', 'Connection: keep-alive']),
      { isKept: false },
    ],
    [
      'is not kept by one of two fields in HTTP/1.0',
      http10('Connection: keep-alive, close', 'Connection: x, keep-alive'),
      { isKept: false },
    ],
    ['is kept by a word that only contains the other', head(['Connection: closed']), { isKept: true }],
    ['has one host', head(['hOST: a.test']), { host: 'a.test' }],
    ['has no host where it has two', head(['Host: a.test', 'Host: a.test']), { host: undefined }],
    ['has no host where it has three', head(['Host: a', 'Host: a', 'host: a']), { host: undefined }],
    ['may name an empty host', head(['Host:']), { host: '' }],
    ['says what is accepted', head(['Accept: a', 'accept: b']), { accept: 'a, b' }],
    [
      'waits for 100 where it has a body',
      head(['Expect: 100-CONTINUE', 'Content-Length: 1']),
      { awaitsContinue: true, problem: undefined },
    ],
    ['waits for no 100 without a body', head(['Expect: 100-continue']), { awaitsContinue: false }],
    [
      'waits for nothing in HTTP/1.0',
      http10('Expect: tea', 'Content-Length: 1'),
      { awaitsContinue: false, problem: undefined },
    ],
    [
      'asks for a protocol',
      head(['Connection: Upgrade', 'Upgrade: websocket']),
      { upgrade: 'websocket', isKept: true },
    ],
    [
      'asks for protocols in several fields',
      head(['Upgrade: a', 'Connection: x, upgrade', 'Upgrade: h2c, b']),
      { upgrade: 'a, b' },
    ],
    ['asks for no protocol without the word', head(['Upgrade: websocket']), { upgrade: undefined }],
    ['asks for no protocol without a name', head(['Connection: upgrade']), { upgrade: undefined }],
    ['asks not for HTTP/2', head(['Connection: upgrade', 'Upgrade: h2c']), { upgrade: undefined }],
    ['asks not for TLS', head(['Connection: upgrade', 'Upgrade: TLS/1.2']), { upgrade: undefined }],
    ['asks for none in HTTP/1.0', http10('Connection: upgrade', 'Upgrade: own'), { upgrade: undefined }],
    [
      'has its cookies as one, in the place of the first',
      head(['A: 1', 'Cookie: a=1', 'B: 2', 'cookie: b=2', 'COOKIE: c=3', 'C: 3']),
      { fields: ['A', '1', 'Cookie', 'a=1; b=2; c=3', 'B', '2', 'C', '3'] },
    ],
    ['has one cookie as it came', head(['Cookie: a=1;b=2']), { fields: ['Cookie', 'a=1;b=2'] }],
    [
      'has values without the blanks about them',
      head(['A:b', 'C: \t d \t e \t', 'F:', 'G: \t', `H: ${HIGH}`]),
      { fields: ['A', 'b', 'C', 'd \t e', 'F', '', 'G', '', 'H', HIGH] },
    ],
    ['may have as many fields as there may be', head(many(MAX_FIELDS)), { problem: undefined }],
  ];
  for (const [what, parsed, expected] of read)
    it(what, () => {
      for (const [key, value] of Object.entries(expected))
        expect(parsed[key as keyof RequestHead], key).to.deep.equal(value);
    });

  const problems: [what: string, parsed: RequestHead, problem: number][] = [
    ['of another version', head([], 'GET / HTTP/2.0'), 505],
    ['of a later version', head([], 'GET / HTTP/1.2'), 505],
    ['of an earlier version', head([], 'GET / HTTP/0.9'), 505],
    ['of another version, with another method', head([], 'CONNECT / HTTP/1.9'), 505],
    ['with CONNECT', head([], 'CONNECT a.test:443 HTTP/1.1'), 405],
    ['with CONNECT in HTTP/1.0', head([], 'CONNECT a.test:443 HTTP/1.0'), 405],
    ['with another expectation', head(['Expect: tea']), 417],
    ['with an empty expectation', head(['Expect:']), 417],
    ['with two expectations in one', head(['Expect: 100-continue, 100-continue']), 417],
    ['with another expectation beside the known one', head(['Expect: 100-continue', 'Expect: x']), 417],
    ['with too many fields', head(many(MAX_FIELDS + 1)), 431],
    ['with another coding', head(['Transfer-Encoding: gzip']), 501],
    ['with a coding before chunks', head(['Transfer-Encoding: gzip, chunked']), 501],
    ['with chunks twice', head(['Transfer-Encoding: chunked, chunked']), 501],
    ['with no coding', head(['Transfer-Encoding:']), 501],
    ['with a coding in quotes', head(['Transfer-Encoding: "chunked"']), 501],
    ['with a coding with a parameter', head(['Transfer-Encoding: chunked;a=b']), 501],
    ['with a coding and a comma', head(['Transfer-Encoding: chunked,']), 501],
    [
      'with a coding behind an octet that some take for a blank',
      head(['Transfer-Encoding: \xa0chunked']),
      501,
    ],
  ];
  for (const [what, { problem, hasBody }, expected] of problems)
    it(`${what} is to be answered ${expected}`, () => {
      expect(problem).to.equal(expected);
      expect(hasBody).to.equal(false);
    });

  const malformed: [what: string, fields: string[], line?: string][] = [
    ['two lengths', ['Content-Length: 1', 'Content-Length: 2']],
    ['the same length twice', ['Content-Length: 1', 'content-length: 1']],
    ['a length and chunks', ['Content-Length: 1', 'Transfer-Encoding: chunked']],
    ['chunks and no length to speak of', ['Transfer-Encoding: chunked', 'Content-Length: 0']],
    ['a length and another coding', ['Content-Length: 1', 'Transfer-Encoding: gzip']],
    ['two codings', ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked']],
    ['two codings, of which one is nothing', ['Transfer-Encoding:', 'Transfer-Encoding: chunked']],
    ['a coding in HTTP/1.0', ['Transfer-Encoding: chunked'], 'POST / HTTP/1.0'],
    ...[
      '',
      '+1',
      '-1',
      '0x1',
      '1.0',
      '1,1',
      '1, 1',
      '1 1',
      '1;',
      '1_0',
      '"1"',
      '1e1',
      '\xb2',
      '1\xa0',
      '\xa01',
      'x',
    ].map((value): [string, string[]] => [
      `the length ${JSON.stringify(value)}`,
      [`Content-Length: ${value}`],
    ]),
    ['a length of 16 digits', ['Content-Length: 1234567890123456']],
    ['a space before a colon', ['A : b']],
    ['a tab before a colon', ['A\t: b']],
    ['a folded line', ['A: b', ' c']],
    ['a line folded by a tab', ['A: b', '\tc']],
    ['a folded first line', [' A: b']],
    ['a line of blanks', ['A: b', ' ', 'C: d']],
    ['a line without a colon', ['A']],
    ['a line without a name', [': a']],
    ['a name beyond ASCII', ['\xc4: b']],
    ['a name in brackets', ['A(b): c']],
    ['a name with a slash', ['A/b: c']],
    ...['\0', '\x01', '\x08', '\n', '\x0b', '\x0c', '\r', '\x1b', '\x1f', '\x7f'].flatMap(
      (control): [string, string[]][] => [
        [`${JSON.stringify(control)} in a value`, [`A: b${control}c`]],
        [`${JSON.stringify(control)} behind a value`, [`A: b${control}`]],
        [`${JSON.stringify(control)} before a value`, [`A:${control}b`]],
        [`${JSON.stringify(control)} in a name`, [`A${control}: b`]],
      ],
    ),
  ];
  for (const [what, fields, line] of malformed)
    it(`with ${what} is malformed`, () => expect(() => head(fields, line)).to.throw(MalformedMessage));
});
