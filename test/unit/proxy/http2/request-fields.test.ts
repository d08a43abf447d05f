import { expect } from 'chai';
import {
  MalformedFields,
  readRequestFields,
  readTrailers,
  type RequestFields,
} from '../../../../lib/proxy/http2/request-fields.js';

const GET = [':method', 'GET', ':scheme', 'https', ':path', '/', ':authority', 'a.test'];

/** Blocks that are no requests, and a part of the reason. */
const MALFORMED: readonly (readonly [what: string, block: readonly string[], reason: RegExp])[] = [
  ['no method', [':scheme', 'https', ':path', '/'], /no method/],
  ['a method that is no token', [':method', 'G(T', ':scheme', 'https', ':path', '/'], /no method/],
  ['no scheme', [':method', 'GET', ':path', '/'], /no scheme/],
  ['a scheme with an underscore', [':method', 'GET', ':scheme', 'a_b', ':path', '/'], /no scheme/],
  ['a scheme with a colon', [':method', 'GET', ':scheme', 'https:', ':path', '/'], /no scheme/],
  ['a scheme beyond ASCII', [':method', 'GET', ':scheme', 'http\xe4', ':path', '/'], /no scheme/],
  ['no path', [':method', 'GET', ':scheme', 'https'], /path/],
  ['an empty path', [':method', 'GET', ':scheme', 'https', ':path', ''], /path/],
  ['a path in absolute form', [':method', 'GET', ':scheme', 'https', ':path', 'https://b.test/'], /path/],
  ['a star for another method', [':method', 'GET', ':scheme', 'https', ':path', '*'], /path/],
  ['a path with a blank', [':method', 'GET', ':scheme', 'https', ':path', '/a b'], /blank/],
  ['a method with a line end', [':method', 'GET /\r\nA: b', ':scheme', 'https', ':path', '/'], /blank/],
  ['an authority with a line end', [...GET.slice(0, 6), ':authority', 'a\r\nb: c'], /blank/],
  ['a pseudo field twice', [...GET, ':path', '/b'], /twice/],
  ['a pseudo field behind others', ['a', 'b', ...GET], /behind/],
  ['a pseudo field of responses', [...GET, ':status', '200'], /no request has/],
  ['an unknown pseudo field', [...GET, ':x', '1'], /no request has/],
  ['a name in capitals', [...GET, 'X-A', '1'], /lower case/],
  ['a name with a colon', [...GET, 'x:a', '1'], /token/],
  ['a name with a blank', [...GET, 'x a', '1'], /token/],
  ['an empty name', [...GET, '', '1'], /token/],
  ['a name beyond ASCII', [...GET, 'x\xe9', '1'], /token/],
  ['a value with a line feed', [...GET, 'x', 'a\nb'], /control/],
  ['a value with a carriage return', [...GET, 'x', 'a\rb'], /control/],
  ['a value with a zero', [...GET, 'x', 'a\0b'], /control/],
  ['a value with a DEL', [...GET, 'x', '\x7f'], /control/],
  ...['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'].map(
    (name) => [name, [...GET, name, 'x'], /for HTTP\/1\.1/] as const,
  ),
  ['TE for more than trailers', [...GET, 'te', 'gzip'], /TE/],
  ['two lengths', [...GET, 'content-length', '5', 'content-length', '5'], /length/],
  ['a length that is none', [...GET, 'content-length', '+5'], /length/],
  ['a length that is empty', [...GET, 'content-length', ''], /length/],
  ['a length that no number holds', [...GET, 'content-length', '1'.repeat(16)], /length/],
  ['a protocol without CONNECT', [...GET, ':protocol', 'websocket'], /protocol/],
  ['a CONNECT with a path', [':method', 'CONNECT', ':path', '/', ':authority', 'a.test:1'], /CONNECT/],
  ['a CONNECT without an authority', [':method', 'CONNECT'], /CONNECT/],
  [
    'an extended CONNECT without a path',
    [':method', 'CONNECT', ':protocol', 'websocket', ':scheme', 'https', ':authority', 'a.test'],
    /path/,
  ],
];

describe('The fields of a request on HTTP/2', () => {
  it('are read with what is not of HTTP apart', () => {
    const fields = [...GET, 'accept', '*/*', 'content-length', '12'];
    expect(readRequestFields(fields, ['accept'])).to.deep.equal({
      ...{ method: 'GET', scheme: 'https', path: '/', authority: 'a.test', protocol: undefined, length: 12 },
      fields: ['accept', '*/*', 'content-length', '12'],
      ...{ hosts: [], accept: '*/*', expects: 'nothing', priority: undefined },
      neverIndexedNames: ['accept'],
    });
  });

  it('say whom it is for, what it expects and how urgent it is, however often', () => {
    const read = (...fields: string[]): unknown => readRequestFields([...GET, ...fields]);
    expect(read('host', 'a.test', 'accept', 'text/html', 'host', 'b.test', 'accept', '*/*')).to.deep.include({
      hosts: ['a.test', 'b.test'],
      accept: 'text/html',
    });
    expect(read('priority', 'u=1', 'priority', ' i ')).to.deep.include({ priority: 'u=1,i' });
    expect(read('expect', '100-Continue')).to.deep.include({ expects: '100-continue' });
    expect(read('expect', '100-continue', 'expect', 'x')).to.deep.include({ expects: 'something else' });
    expect(read('expect', 'x', 'expect', '100-continue')).to.deep.include({ expects: 'something else' });
  });

  it('keep every octet of a value, and lose the blanks around it', () => {
    const octets = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code))
      .filter((octet) => octet === '\t' || (octet >= ' ' && octet !== '\x7f'))
      .join('');
    const read = readRequestFields([...GET, 'x', ` \t${octets}!\t `]);
    expect((read as RequestFields).fields).to.deep.equal(['x', `${octets.trimStart()}!`]);
  });

  it('may have any number of blanks in a value', () => {
    // Minutes would go by where the time grew with the square of their number.
    const blanks = ' '.repeat(400_000);
    const read = readRequestFields([...GET, 'x', ` a${blanks}b`]);
    expect(read).to.deep.include({ fields: ['x', `a${blanks}b`] });
  });

  it('may leave the authority out, ask for trailers, ask for everything, or any method', () => {
    for (const block of [
      [':method', 'GET', ':scheme', 'https', ':path', '/', 'host', 'a.test'],
      [...GET, 'te', 'trailers'],
      [':method', 'OPTIONS', ':scheme', 'https', ':path', '*'],
      [':method', 'VERSION-CONTROL', ':scheme', 'https', ':path', '/'],
      [':method', 'CONNECT', ':authority', 'a.test:443'],
      [
        ':method',
        'CONNECT',
        ':protocol',
        'websocket',
        ':scheme',
        'https',
        ':path',
        '/',
        ':authority',
        'a.test',
      ],
    ])
      expect(readRequestFields(block), block.join(' ')).not.to.be.instanceOf(MalformedFields);
  });

  for (const [what, block, reason] of MALFORMED) {
    it(`are none with ${what}`, () => {
      const read = readRequestFields(block);
      expect(read).to.be.instanceOf(MalformedFields);
      expect((read as MalformedFields).reason).to.match(reason);
    });
  }
});

describe('Trailers on HTTP/2', () => {
  it('are fields', () => {
    expect(readTrailers(['grpc-status', ' 0 '])).to.deep.equal(['grpc-status', '0']);
  });

  for (const block of [
    [':path', '/'],
    ['A', 'b'],
    ['a', 'b\n'],
    ['connection', 'close'],
    ['', ''],
  ])
    it(`are none with ${JSON.stringify(block)}`, () => {
      expect(readTrailers(block)).to.be.instanceOf(MalformedFields);
    });
});
