/**
 * Requests that two parsers may read in two ways. Each is refused, with nothing of it and nothing behind it at the backend,
 * or made safe: one well-formed request arrives there, and its end is where this proxy has seen it.
 */
import { expect } from 'chai';
import { startFront, type Front } from '../../support/front.js';
import { chunked, get, HIDDEN, POISON, post } from '../../support/hostile.js';
import { RawClient } from '../../support/raw-client.js';
import {
  startRecordingBackend,
  type RecordedRequest,
  type RecordingBackend,
} from '../../support/recording-backend.js';

describe('A request that can be read in two ways', () => {
  let backend: RecordingBackend;
  let front: Front;

  before(async () => {
    backend = await startRecordingBackend();
    front = await startFront({ backends: [backend.url] });
  });
  after(async () => {
    await front[Symbol.asyncDispose]();
    await backend[Symbol.asyncDispose]();
  });
  beforeEach(() => backend.clear());

  const refused: [what: string, text: string, status?: number][] = [
    // Length against chunks
    ['a length and chunks', post(['Content-Length: 6', 'Transfer-Encoding: chunked'], HIDDEN)],
    ['chunks and a length', post(['Transfer-Encoding: chunked', 'Content-Length: 6'], HIDDEN)],
    ['two different lengths', post(['Content-Length: 0', 'Content-Length: 44'], POISON)],
    ['twice the same length', post(['Content-Length: 2', 'Content-Length: 2'], 'xx')],
    ['a list of lengths', post(['Content-Length: 0, 44'], POISON)],
    ['a length with a sign', post(['Content-Length: +2'], 'xx')],
    ['a negative length', post(['Content-Length: -2'], 'xx')],
    ['a length in hexadecimal', post(['Content-Length: 0x2'], 'xx')],
    ['a length that no number holds', post(['Content-Length: 99999999999999999999999999'], 'xx')],
    ['an empty length', post(['Content-Length: '], POISON)],
    ['a length with a space in it', post(['Content-Length: 1 2'], POISON)],
    // Codings
    ['a coding before the chunks', post(['Transfer-Encoding: gzip, chunked'], HIDDEN), 501],
    ['a coding behind the chunks', post(['Transfer-Encoding: chunked, identity'], HIDDEN)],
    ['a coding that is none', post(['Transfer-Encoding: xchunked'], HIDDEN)],
    ['only another coding', post(['Transfer-Encoding: identity'], HIDDEN)],
    ['chunks twice', post(['Transfer-Encoding: chunked, chunked'], HIDDEN)],
    [
      'chunks twice in two fields',
      post(['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], HIDDEN),
    ],
    [
      'a second coding in a second field',
      post(['Transfer-Encoding: chunked', 'Transfer-Encoding: x'], HIDDEN),
    ],
    ['a coding in quotes', post(['Transfer-Encoding: "chunked"'], HIDDEN)],
    ['a coding behind a vertical tab', post(['Transfer-Encoding: \x0bchunked'], HIDDEN)],
    ['a coding with a parameter', post(['Transfer-Encoding: chunked;q=1'], HIDDEN)],
    ['chunks in HTTP/1.0', chunked(HIDDEN).replace('HTTP/1.1', 'HTTP/1.0'), 400],
    // Fields
    ['a space before the colon', post(['Content-Length : 44'], POISON)],
    ['a space before the colon of a coding', post(['Transfer-Encoding : chunked'], HIDDEN)],
    ['a tab before the colon', post(['Content-Length\t: 44'], POISON)],
    ['a space before the first field', `GET /x HTTP/1.1\r\n Host: a.test\r\n\r\n`],
    ['a field without a colon', get('Host: a.test', 'X-A')],
    ['a field without a name', get('Host: a.test', ': x')],
    ['a NUL in a value', get('Host: a.test', 'X-A: a\0b')],
    ['a NUL in a name', get('Host: a.test', 'X\0A: b')],
    ['a CR in a value', get('Host: a.test', 'X-A: a\rX-B: b')],
    ['another control character in a value', get('Host: a.test', 'X-A: a\x01b')],
    ['a name with a control character', get('Host: a.test', 'X\x01A: b')],
    ['a name beyond ASCII', get('Host: a.test', 'X\xe4: b')],
    ['a CR before the end of the head', 'GET /x HTTP/1.1\r\nHost: a.test\r\n\r\r\n'],
    ['fields above the limit', get('Host: a.test', `X-A: ${'x'.repeat(20_000)}`), 431],
    ['very many fields', get('Host: a.test', ...Array.from({ length: 10_000 }, () => 'a:')), 431],
    // Hosts and targets
    ['two hosts', get('Host: a.test', 'Host: b.test'), 400],
    ['twice the same host', get('Host: a.test', 'Host: a.test'), 400],
    ['a list of hosts', get('Host: a.test, b.test'), 400],
    ['no host', get('X-A: 1'), 400],
    ['an empty host', get('Host:'), 400],
    ['a host with a path', get('Host: a.test/b'), 400],
    ['a host with a user', get('Host: a.test@b.test'), 400],
    ['a target for another protocol', get('Host: a.test').replace('/x', 'ftp://a.test/x'), 400],
    ['a target with a user', get('Host: a.test').replace('/x', 'https://a.test@b.test/x'), 400],
    ['a target that is no path', get('Host: a.test').replace('/x', 'x'), 400],
    ['a target with a space', get('Host: a.test').replace('/x', '/x y')],
    ['a target with a tab', get('Host: a.test').replace('/x', '/x\ty')],
    ['a target with a control character', get('Host: a.test').replace('/x', '/x\x01y')],
    ['CONNECT', 'CONNECT a.test:443 HTTP/1.1\r\nHost: a.test\r\n\r\n', 405],
    // Versions and lines
    ['HTTP/0.9', 'GET /x\r\n'],
    ['HTTP/2 by word', get('Host: a.test').replace('HTTP/1.1', 'HTTP/2.0'), 505],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505],
    ['another version', get('Host: a.test').replace('HTTP/1.1', 'HTTP/1.2'), 505],
    ['a version in lower case', get('Host: a.test').replace('HTTP/1.1', 'http/1.1')],
    ['an unknown method', get('Host: a.test').replace('GET', 'G@T')],
    // Chunks
    ['a chunk size beyond 64 bits', chunked(`10000000000000002\r\nxx\r\n${HIDDEN}`)],
    ['a chunk size with 0x', chunked(`0x2\r\nxx\r\n${HIDDEN}`)],
    ['a chunk size with a sign', chunked(`+2\r\nxx\r\n${HIDDEN}`)],
    ['a negative chunk size', chunked(`-2\r\nxx\r\n${HIDDEN}`)],
    ['no chunk size', chunked(`\r\nxx\r\n${HIDDEN}`)],
    ['a chunk longer than its size', chunked(`2\r\nxxx\r\n${HIDDEN}`)],
    ['a chunk size with a space before it', chunked(` 2\r\nxx\r\n${HIDDEN}`)],
    ['a chunk without its end', chunked(`2\r\nxx${HIDDEN}`)],
    ['a chunk extension with a control character', chunked(`2;a\x01\r\nxx\r\n${HIDDEN}`)],
    ['a chunk extension with a bare CR', chunked(`2;a\rb\r\nxx\r\n${HIDDEN}`)],
  ];
  for (const [what, text, status] of refused) {
    it(`because of ${what} is refused, and nothing behind it is served`, async () => {
      using client = await RawClient.connect(front.port, 'a.test');
      const received = await client.send(text + POISON).closed();
      expect(received).to.match(
        status === undefined ? /^HTTP\/1\.1 (?:4\d\d|501) / : new RegExp(`^HTTP/1\\.1 ${status} `),
      );
      expect(received.match(/HTTP\/1\.1 \d/g)).to.have.length(1);
      expect(backend.errors).to.deep.equal([]);
      expect(backend.requests.filter(({ line }) => line.includes('poison'))).to.deep.equal([]);
    });
  }

  const safe: [what: string, text: string, expected: (request: RecordedRequest) => void][] = [
    [
      'a field folded onto a second line',
      get('Host: a.test', 'X-A: a', ' b'),
      ({ fields }) => expect(fields.filter(([name]) => name === 'x-a')).to.have.length.of.at.most(1),
    ],
    [
      'a coding folded onto a second line',
      post(['Transfer-Encoding:', ' chunked'], '2\r\nxx\r\n0\r\n\r\n'),
      ({ body }) => expect(body).to.equal('xx'),
    ],
    [
      'spaces and tabs about a coding',
      post(['Transfer-Encoding: \t chunked\t '], '2\r\nxx\r\n0\r\n\r\n'),
      ({ body }) => expect(body).to.equal('xx'),
    ],
    [
      'a coding in capitals',
      post(['TRANSFER-ENCODING: CHUNKED'], '2\r\nxx\r\n0\r\n\r\n'),
      ({ body }) => expect(body).to.equal('xx'),
    ],
    [
      'a length with zeros before it',
      post(['Content-Length: 0002'], 'xx'),
      ({ body }) => expect(body).to.equal('xx'),
    ],
    [
      'spaces about a length',
      post(['Content-Length:   2  '], 'xx'),
      ({ body }) => expect(body).to.equal('xx'),
    ],
    [
      'a chunk size with zeros before it, in capitals, and with extensions',
      chunked('00000A;x=1;y="2"\r\n0123456789\r\n0;z\r\n\r\n'),
      ({ body }) => expect(body).to.equal('0123456789'),
    ],
    [
      'trailers that would be framing',
      chunked('2\r\nxx\r\n0\r\nContent-Length: 44\r\nTransfer-Encoding: x\r\nHost: b.test\r\n\r\n'),
      ({ body, fields }) => {
        expect(body).to.equal('xx');
        expect(fields.filter(([name]) => name === 'host')).to.deep.equal([['host', 'a.test']]);
      },
    ],
    [
      'a body that looks like a request',
      post([`Content-Length: ${POISON.length}`], POISON),
      ({ body }) => expect(body).to.equal(POISON),
    ],
    [
      'a body with GET',
      post([`Content-Length: ${POISON.length}`], POISON).replace('POST', 'GET'),
      ({ body }) => expect(body).to.equal(POISON),
    ],
    [
      'a target in absolute form and another Host',
      get('Host: b.test').replace('/x', 'https://a.test/x'),
      ({ line, fields }) => {
        expect(line).to.equal('GET /x HTTP/1.1');
        expect(fields.filter(([name]) => name === 'host')).to.deep.equal([['host', 'a.test']]);
      },
    ],
    [
      'Connection naming what frames and routes it',
      post(
        ['Connection: content-length, transfer-encoding, host, x-forwarded-for', 'Content-Length: 2'],
        'xx',
      ),
      ({ body, fields }) => {
        expect(body).to.equal('xx');
        expect(fields.filter(([name]) => name === 'host')).to.deep.equal([['host', 'a.test']]);
        expect(fields.filter(([name]) => name === 'x-forwarded-for')).to.have.length(1);
      },
    ],
    [
      'names that some make the same variable of',
      get('Host: a.test', 'X_Forwarded_For: 10.6.6.6', 'X-Forwarded_Proto: http'),
      ({ fields }) => expect(fields.filter(([name]) => name.includes('_'))).to.deep.equal([]),
    ],
  ];
  for (const [what, text, check] of safe) {
    it(`because of ${what} is refused, or reaches the backend as one that cannot`, async () => {
      using client = await RawClient.connect(front.port, 'a.test');
      client.send(text);
      await client.until('it is answered', ({ received }) => /\r\n\r\n/.test(received));
      expect(client.received).to.match(/^HTTP\/1\.1 (?:200|400|501) /);
      if (client.received.startsWith('HTTP/1.1 200')) {
        // What the client sends next is its next request to the backend too.
        client.send('GET /next HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n');
        await client.closed();
        expect(backend.requests.map(({ line }) => line.split(' ')[1])).to.deep.equal(['/x', '/next']);
        check(backend.requests[0]!);
      } else {
        await client.closed();
        expect(backend.requests).to.deep.equal([]);
      }
      expect(backend.errors).to.deep.equal([]);
    });
  }

  // Whether a line may end so depends on the version of Node's parser.
  const bare: [what: string, text: string][] = [
    ['lines that end in LF alone', 'GET /x HTTP/1.1\nHost: a.test\n\n'],
    ['one line that ends in LF alone', 'GET /x HTTP/1.1\r\nHost: a.test\nX-A: 1\r\n\r\n'],
    ['a chunk size that ends in LF alone', chunked('2\nxx\r\n0\r\n\r\n')],
    ['a chunk extension that ends in LF alone', chunked('2;x\nxx\r\n0\r\n\r\n')],
    ['a chunk that ends in LF alone', chunked('2\r\nxx\n0\r\n\r\n')],
    ['a last chunk that ends in LF alone', chunked('2\r\nxx\r\n0\n\r\n')],
    ['lines before the request', `\r\n\r\n${get('Host: a.test')}`],
  ];
  for (const [what, text] of bare) {
    it(`because of ${what} is refused, or one that is well-formed reaches the backend`, async () => {
      using client = await RawClient.connect(front.port, 'a.test');
      client.send(text);
      await client.until('it is answered', ({ received }) => /\r\n\r\n/.test(received));
      const isServed = client.received.startsWith('HTTP/1.1 200');
      expect(client.received).to.match(/^HTTP\/1\.1 (?:200|400) /);
      expect(backend.errors).to.deep.equal([]);
      expect(backend.requests).to.have.length(isServed ? 1 : 0);
    });
  }

  it('for another host in its target is misdirected, whatever its Host says', async () => {
    using client = await RawClient.connect(front.port, 'a.test');
    const text = get('Host: a.test', 'Connection: close').replace('/x', 'https://other.example/x');
    expect(await client.send(text).closed()).to.match(/^HTTP\/1\.1 421 /);
    expect(backend.requests).to.deep.equal([]);
  });

  it('behind one that ends its connection is not served', async () => {
    using client = await RawClient.connect(front.port, 'a.test');
    const received = await client.send(get('Host: a.test', 'Connection: close') + POISON).closed();
    expect(received.match(/HTTP\/1\.1 \d/g)).to.have.length(1);
    expect(backend.requests.map(({ line }) => line)).to.deep.equal(['GET /x HTTP/1.1']);
  });
});
