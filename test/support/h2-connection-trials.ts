/**
 * What a client may try on HTTP/2 with frames of the connection, and with windows and priorities (RFC 9113, RFC 9218).
 */
import { MAX_CONCURRENT_STREAMS } from '../../lib/proxy/downstream/http2-limits.js';

import { alone, last, onOpen, priority, update, window, type TrialRow } from './h2-trial-kinds.js';
import {
  ACK,
  EMPTY,
  END_HEADERS,
  frame,
  GOAWAY,
  PING,
  PRIORITY,
  PUSH_PROMISE,
  SETTINGS,
  u32,
  WINDOW_UPDATE,
  type Field,
  setting,
} from './raw-h2.js';

const MAX_WINDOW = 0x7fff_ffff;
const PRIORITY_UPDATE = 0x10;
/** For the backend's `ok`. At a window of 0 nghttp2 does not even send an empty DATA behind it. */
const ENOUGH = 3;

export const CONNECTION_TRIALS: readonly TrialRow[] = [
  // §6.3
  ['PRIORITY on stream 0', alone(priority(0, 1))],
  ['PRIORITY of itself on an idle stream', alone(priority(10_001, 10_001))],
  ['PRIORITY of itself on an open stream', onOpen((id) => [priority(id, id), last(id)])],
  ['PRIORITY of another length on an idle stream', alone(frame(PRIORITY, 0, 10_001, Buffer.alloc(4)))],
  [
    'PRIORITY of another length on an open stream',
    onOpen((id) => [frame(PRIORITY, 0, id, Buffer.alloc(6)), last(id)]),
  ],
  ['PRIORITY on an even stream', alone(priority(2, 1))],
  // §6.5
  ['SETTINGS on a stream', alone(frame(SETTINGS, 0, 1, EMPTY))],
  ['SETTINGS of half a setting', alone(frame(SETTINGS, 0, 0, Buffer.alloc(5)))],
  ['SETTINGS of none', alone(frame(SETTINGS, 0, 0, EMPTY))],
  ['an acknowledgement with settings', alone(frame(SETTINGS, ACK, 0, setting(3, 1)))],
  ['an acknowledgement too many', alone(frame(SETTINGS, ACK, 0, EMPTY))],
  ['a window setting above all', alone(frame(SETTINGS, 0, 0, setting(4, 2 ** 31)))],
  [
    'the largest window setting',
    (maker) => maker.push(frame(SETTINGS, 0, 0, Buffer.concat([setting(4, MAX_WINDOW), setting(4, 65_535)]))),
  ],
  ['a frame setting below all', alone(frame(SETTINGS, 0, 0, setting(5, 16_383)))],
  ['a frame setting above all', alone(frame(SETTINGS, 0, 0, setting(5, 2 ** 24)))],
  ['the largest frame setting', alone(frame(SETTINGS, 0, 0, setting(5, 2 ** 24 - 1)))],
  ['a push setting of 2', alone(frame(SETTINGS, 0, 0, setting(2, 2)))],
  ['a push setting of 1', alone(frame(SETTINGS, 0, 0, setting(2, 1)))],
  ['a CONNECT setting of 1', alone(frame(SETTINGS, 0, 0, setting(8, 1)))],
  ['a CONNECT setting of 2', alone(frame(SETTINGS, 0, 0, setting(8, 2)))],
  [
    'a CONNECT setting taken back',
    alone(frame(SETTINGS, 0, 0, setting(8, 1)), frame(SETTINGS, 0, 0, setting(8, 0))),
  ],
  ['a priority setting of 2', alone(frame(SETTINGS, 0, 0, setting(9, 2)))],
  [
    'a priority setting that changes',
    alone(frame(SETTINGS, 0, 0, setting(9, 1)), frame(SETTINGS, 0, 0, setting(9, 0))),
  ],
  ['a table setting above all', alone(frame(SETTINGS, 0, 0, setting(1, 0xffff_ffff)))],
  ['no streams of ours', alone(frame(SETTINGS, 0, 0, setting(3, 0)))],
  [
    '33 settings',
    alone(frame(SETTINGS, 0, 0, Buffer.concat(Array.from({ length: 33 }, () => setting(3, 1))))),
  ],
  [
    '32 settings',
    alone(frame(SETTINGS, 0, 0, Buffer.concat(Array.from({ length: 32 }, () => setting(3, 1))))),
  ],
  [
    'a window setting that is too much for a stream',
    onOpen((id) => [window(id, MAX_WINDOW - 65_535), frame(SETTINGS, 0, 0, setting(4, 65_536)), last(id)]),
  ],
  [
    'a window just large enough',
    (maker, label) => {
      // Others must not wait for a window.
      maker.end('traffic');
      maker.push(frame(SETTINGS, 0, 0, setting(4, 0)));
      onOpen((id) => [window(id, ENOUGH), last(id)])(maker, label);
      maker.end('traffic');
      maker.push(frame(SETTINGS, 0, 0, setting(4, 65_535)));
    },
  ],
  [
    'a window setting that takes back all, and two windows',
    (maker, label) => {
      maker.end('traffic');
      onOpen((id) => [frame(SETTINGS, 0, 0, setting(4, 0)), window(id, 1), window(id, ENOUGH - 1), last(id)])(
        maker,
        label,
      );
      maker.end('traffic');
      maker.push(frame(SETTINGS, 0, 0, setting(4, 65_535)));
    },
  ],
  // §5.1.2
  [
    'more streams than we take',
    (maker) => {
      for (let i = 0; i < MAX_CONCURRENT_STREAMS + 2; i++) maker.request({ isPlain: true });
    },
  ],
  // §8.1
  ['long trailers', onOpen((id, maker) => maker.head(id, [['x-t', 't'.repeat(40_000)]], true))],
  [
    'trailers above all limits',
    onOpen((id, maker) => {
      const long = 't'.repeat(35_000);
      return maker.head(
        id,
        [
          ['x-t', long],
          ['x-u', long],
        ],
        true,
      );
    }),
  ],
  [
    'very many trailers',
    onOpen((id, maker) =>
      maker.head(
        id,
        Array.from({ length: 600 }, (_, i): Field => [`x-${i}`, '1']),
        true,
      ),
    ),
  ],
  // §6.6 to §6.8
  ['PUSH_PROMISE', onOpen((id) => [frame(PUSH_PROMISE, END_HEADERS, id, u32(2)), last(id)])],
  ['PUSH_PROMISE on stream 0', alone(frame(PUSH_PROMISE, END_HEADERS, 0, u32(2)))],
  ['PING on a stream', alone(frame(PING, 0, 1, Buffer.alloc(8)))],
  ['PING of another length', alone(frame(PING, 0, 0, Buffer.alloc(7)))],
  ['an acknowledgement of no PING', alone(frame(PING, ACK, 0, Buffer.alloc(8)))],
  ['GOAWAY on a stream', alone(frame(GOAWAY, 0, 1, Buffer.alloc(8)))],
  ['GOAWAY too short', alone(frame(GOAWAY, 0, 0, Buffer.alloc(7)))],
  ['GOAWAY', alone(frame(GOAWAY, 0, 0, Buffer.alloc(8)))],
  ['GOAWAY with an error', alone(frame(GOAWAY, 0, 0, Buffer.concat([u32(0), u32(1), Buffer.from('why')])))],
  // Not GOAWAY and a request behind it: Node 20 then uses memory that it has freed (nodejs/node #64113), and aborts sooner or later.
  // §6.9
  ['WINDOW_UPDATE of 0', alone(window(0, 0))],
  ['WINDOW_UPDATE of 0 on an open stream', onOpen((id) => [window(id, 0), last(id)])],
  ['WINDOW_UPDATE of another length', alone(frame(WINDOW_UPDATE, 0, 0, Buffer.alloc(3)))],
  ['WINDOW_UPDATE with the reserved bit', alone(window(0, 0x8000_0001))],
  ['a window above all', alone(window(0, MAX_WINDOW))],
  ['a window above all on an open stream', onOpen((id) => [window(id, MAX_WINDOW), last(id)])],
  ['the largest window on an open stream', onOpen((id) => [window(id, MAX_WINDOW - 65_535), last(id)])],
  // RFC 9218
  [
    'PRIORITY_UPDATE on a stream',
    alone(frame(PRIORITY_UPDATE, 0, 1, Buffer.concat([u32(1), Buffer.from('u=1')]))),
  ],
  ['PRIORITY_UPDATE of an even stream', alone(update(2, 'u=1'))],
  ['PRIORITY_UPDATE of stream 0', alone(update(0, 'u=1'))],
  ['PRIORITY_UPDATE of an idle stream', alone(update(10_001, 'u=1'))],
  ['PRIORITY_UPDATE too short', alone(frame(PRIORITY_UPDATE, 0, 0, Buffer.alloc(3)))],
  ['PRIORITY_UPDATE of nonsense', onOpen((id) => [update(id, '\0;;;'), last(id)])],
];
