/**
 * The same tricks in HTTP/1.0, which has no chunks, no `Host` and no kept connections of its own.
 */
import {
  describeHostile,
  get,
  HIDDEN,
  POISON,
  post,
  type Case,
  type Fate,
} from '../../../support/hostile.js';

const old = (text: string): string => text.replace('HTTP/1.1', 'HTTP/1.0');
const KEPT = 'Connection: keep-alive';
const LENGTH = `Content-Length: ${POISON.length}`;

const both = (what: string, fields: readonly string[], rest: string, fate: Fate): Case[] => [
  [what, old(post(fields, rest)), typeof fate === 'number' ? fate : { ...fate, isLast: true }],
  [`${what} and kept`, old(post([...fields, KEPT], rest)), fate],
];

describeHostile('A request of HTTP/1.0', [
  ...both('in chunks', ['Transfer-Encoding: chunked'], HIDDEN, 400),
  ...both('in another coding', ['Transfer-Encoding: gzip'], HIDDEN, 400),
  ...both('in no coding', ['Transfer-Encoding:'], HIDDEN, 400),
  ...both('in a coding that is hidden', ['Transfer-Encoding : chunked'], HIDDEN, 400),
  ...both('with a length and chunks', [LENGTH, 'Transfer-Encoding: chunked'], HIDDEN, 400),
  ...both('with two lengths', ['Content-Length: 0', LENGTH], POISON, 400),
  ...both('with a length that is none', ['Content-Length: x'], POISON, 400),
  ...both('with a folded length', ['Content-Length:', ' 5'], POISON, 400),
  ...both('with a folded field', ['X: y', ' z'], POISON, 400),
  ...both('with an LF in a field', ['X: y\nContent-Length: 5'], POISON, 400),
  ...both('with a NUL in a field', ['X: y\0'], POISON, 400),
  ...both('with two hosts', ['Host: a.test'], '', 400),
  ...both('with a length', [LENGTH], POISON, { body: POISON }),
  ...both('without a length', [], '', {}),
  ...both('with a length of nothing', ['Content-Length: 0'], '', {}),
  ...both('with an expectation', ['Expect: tea', 'Content-Length: 2'], 'xx', {
    body: 'xx',
    lacks: ['expect'],
  }),
  ...both('with trailers announced', ['Trailer: X', 'TE: trailers'], '', { lacks: ['te'] }),
  ...both('with an upgrade', ['Upgrade: own'], '', { lacks: ['upgrade'] }),
  ...both('with cookies', ['Cookie: a=1', 'Cookie: b=2'], '', { has: [['cookie', 'a=1; b=2']] }),
  ['with CONNECT', old('CONNECT a.test:443 HTTP/1.1\r\n\r\n'), 405],
  ['without a host', old(get('X: y')), { has: [['host', 'a.test']], isLast: true }],
  ['without a host and kept', old(get(KEPT)), { has: [['host', 'a.test']] }],
  ['with an empty host', old(get('Host:')), 400],
  ['with a host that is none', old(get('Host: a b')), 400],
  ['for another host', old(get('Host: other.example')), 421],
  [
    'in absolute form without a host',
    old(get('X: y')).replace('/x', 'https://a.test/x'),
    { has: [['host', 'a.test']], isLast: true },
  ],
  ['in absolute form for another host', old(get('X: y')).replace('/x', 'https://other.example/x'), 421],
  ['that is kept and closed', old(get('Host: a.test', KEPT, 'Connection: close')), { isLast: true }],
  ['that is closed and kept', old(get('Host: a.test', 'Connection: close', KEPT)), { isLast: true }],
  ['that is kept among others', old(get('Host: a.test', 'Connection: x, Keep-Alive')), {}],
  [
    'that is kept by a proxy’s word',
    old(get('Host: a.test', 'Proxy-Connection: keep-alive')),
    { isLast: true },
  ],
]);
