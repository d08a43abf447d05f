/**
 * Fields that are hidden from one reader: by folding, by other ends of lines, by control characters, by blanks; and fields of the
 * hop that are meant to take others with them.
 */
import { describeHostile, get, POISON, post, type Case } from '../../../support/hostile.js';

const CONTROLS = Array.from({ length: 0x20 }, (_, code) => String.fromCharCode(code))
  .filter((control) => control !== '\t')
  .concat('\x7f');
const shown = (text: string): string => JSON.stringify(text);
const withHost = (...fields: readonly string[]): string => get('Host: a.test', ...fields);

describeHostile('A field', [
  ...CONTROLS.flatMap((control): Case[] => [
    [`with ${shown(control)} in its value`, withHost(`X-A: a${control}b`), 400],
    [`with ${shown(control)} before its value`, withHost(`X-A: ${control}b`), 400],
    [`with ${shown(control)} behind its value`, withHost(`X-A: a${control}`), 400],
    [`with ${shown(control)} in its name`, withHost(`X${control}A: b`), 400],
    [`with ${shown(control)} before its name`, withHost(`${control}X-A: b`), 400],
    [`with ${shown(control)} before its colon`, withHost(`X-A${control}: b`), 400],
  ]),
  ...[' ', '\t', '  '].flatMap((blank): Case[] => [
    [`folded by ${shown(blank)}`, withHost('X-A: a', `${blank}b`), 400],
    [`that is first and folded by ${shown(blank)}`, get(`${blank}Host: a.test`, 'X-A: a'), 400],
    [`that is empty and folded by ${shown(blank)}`, withHost('X-A:', `${blank}b`), 400],
    [`behind which is a line of ${shown(blank)}`, withHost('X-A: a', blank, 'X-B: b'), 400],
    [`with ${shown(blank)} before its colon`, withHost(`X-A${blank}: b`), 400],
    [`with ${shown(blank)} in its name`, withHost(`X${blank}A: b`), 400],
  ]),
  ...Array.from('()<>@,;\\"/[]?={}', (mark): Case => [
    `with ${mark} in its name`,
    withHost(`X${mark}A: b`),
    400,
  ]),
  ['with an octet above 0x7f in its name', withHost('X\xe4: b'), 400],
  ['without a colon', withHost('X-A'), 400],
  ['without a name', withHost(': b'), 400],
  ['that is only a colon', withHost(':'), 400],
  ['with a host hidden behind an LF', get('X:\nHost: a.test', 'Y: z'), 400],
  ['with a host hidden behind a CR', get('X: y\rHost: b.test', 'Host: a.test'), 400],
  ['with the host behind a blank and a colon', get('Host : a.test'), 400],
  ['with the host behind a blank', get('X: y', ' Host: a.test'), 400],
  ['with a second host behind a blank', get('Host: a.test', ' Host: b.test'), 400],
  ['with an LF in place of its CRLF', `GET /x HTTP/1.1\r\nHost: a.test\nX: y\r\n\r\n`, 400],
  ['with LFs in place of the empty line', `GET /x HTTP/1.1\r\nHost: a.test\n\n`, 400],
  ['with a CR and an LF, and an LF in place of the empty line', `GET /x HTTP/1.1\r\nHost: a.test\r\n\n`, 400],
  ['with a CR in place of the empty line', `GET /x HTTP/1.1\r\nHost: a.test\r\n\r`, 400],
  ['with two CRs before its LF', `GET /x HTTP/1.1\r\nHost: a.test\r\r\n\r\n`, 400],
  ['with CRs alone', `GET /x HTTP/1.1\rHost: a.test\r\r`, 400],
  ['that is very long', withHost(`X-A: ${'x'.repeat(20_000)}`), 431],
  ['with a name that is very long', withHost(`${'x'.repeat(20_000)}: y`), 431],
  ['of which there are too many', withHost(...Array<string>(600).fill('a: b')), 431],
  ['of which there are very many', withHost(...Array<string>(5_000).fill('a: b')), 431],
  ['without a value', withHost('X-A:'), { has: [['x-a', '']] }],
  ['with blanks for a value', withHost('X-A: \t '), { has: [['x-a', '']] }],
  ['with every octet above 0x7f', withHost('X-A: \x80\x85\xa0\xff'), { has: [['x-a', '\x80\x85\xa0\xff']] }],
  ['with colons in its value', withHost('X-A: b: c:'), { has: [['x-a', 'b: c:']] }],
  [
    'with the name of a property of objects',
    withHost('__proto__: x', 'constructor: y'),
    {
      has: [
        ['__proto__', 'x'],
        ['constructor', 'y'],
      ],
    },
  ],
]);

const hop = [
  'Keep-Alive: timeout=5',
  'Proxy-Connection: keep-alive',
  'TE: trailers',
  'Upgrade: own',
  'Proxy-Authorization: x',
  'HTTP2-Settings: x',
];

describeHostile('A field of the hop', [
  ...hop.map((field): Case => [
    `(${field}) that goes no further`,
    withHost(field),
    { lacks: [field.slice(0, field.indexOf(':')).toLowerCase()] },
  ]),
  [
    'by a name with underscores',
    withHost('Proxy_Connection: x', 'Keep_Alive: y'),
    { lacks: ['proxy_connection', 'keep_alive'] },
  ],
  ['that names the host', withHost('Connection: host'), { has: [['host', 'a.test']] }],
  ['that names a field', withHost('Connection: X-A', 'X-A: b'), { lacks: ['x-a'] }],
  [
    'that names a field in another case',
    withHost('Connection: keep-alive, x-a', 'X-A: b'),
    { lacks: ['x-a'] },
  ],
  [
    'that names a field, twice',
    withHost('Connection: X-A', 'Connection: X-B', 'X-A: 1', 'X-B: 2'),
    { lacks: ['x-a', 'x-b'] },
  ],
  [
    'that names what the proxy says',
    withHost('Connection: X-Forwarded-For, X-Real-IP'),
    {
      has: [
        ['x-real-ip', '127.0.0.1'],
        ['x-forwarded-for', '127.0.0.1'],
      ],
    },
  ],
  ['that names Connection', withHost('Connection: connection, close'), { isLast: true }],
  ['that closes', withHost('Connection: close'), { isLast: true }],
  ['that closes and keeps', withHost('Connection: close, keep-alive'), { isLast: true }],
  [
    'that closes, before one that keeps',
    withHost('Connection: close', 'Connection: keep-alive'),
    { isLast: true },
  ],
  [
    'that closes, behind one that keeps',
    withHost('Connection: keep-alive', 'Connection: CLOSE'),
    { isLast: true },
  ],
  ['that closes among others', withHost('Connection: x, y,\tclose ,z'), { isLast: true }],
  ['that is empty', withHost('Connection:'), {}],
  ['that is commas', withHost('Connection: , ,,'), {}],
  ['that closes by a word that is not it', withHost('Connection: closed'), {}],
  ['that is of a proxy and closes', withHost('Proxy-Connection: close'), {}],
  [
    'that names a cookie',
    withHost('Connection: cookie', 'Cookie: a=1', 'Cookie: b=2'),
    { lacks: ['cookie'] },
  ],
  ['with an upgrade that is not asked for', withHost('Upgrade: own'), { lacks: ['upgrade'] }],
  [
    'with an upgrade to HTTP/2',
    withHost('Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'),
    { lacks: ['upgrade', 'http2-settings'] },
  ],
  ['with an upgrade to TLS', withHost('Connection: Upgrade', 'Upgrade: TLS/1.0'), { lacks: ['upgrade'] }],
  [
    'with an upgrade that the backend does not want',
    withHost('Connection: Upgrade', 'Upgrade: own'),
    { has: [['upgrade', 'own']] },
  ],
  [
    'with an upgrade and a body',
    post(['Connection: Upgrade', 'Upgrade: own', `Content-Length: ${POISON.length}`], POISON),
    { body: POISON },
  ],
  [
    'with an upgrade and chunks',
    post(['Connection: Upgrade', 'Upgrade: own', 'Transfer-Encoding: chunked'], '2\r\nxx\r\n0\r\n\r\n'),
    { body: 'xx' },
  ],
  [
    'with an upgrade in HTTP/1.0',
    withHost('Connection: Upgrade', 'Upgrade: own').replace('1.1', '1.0'),
    { lacks: ['upgrade'], isLast: true },
  ],
  [
    'with an upgrade and an ambiguous length',
    post(['Connection: Upgrade', 'Upgrade: own', 'Content-Length: 5', 'Content-Length: 0']),
    400,
  ],
]);
