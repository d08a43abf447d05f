/**
 * What h2spec asks of a server, by the frame: sections are those of RFC 9113. A connection or stream error is a GOAWAY, a
 * RST_STREAM, or the end of the connection; and other clients notice nothing of it. (Two are not among them, for nghttp2
 * ignores them: a head on a stream with a smaller number than the last, §5.1.1, and with Node 26 PRIORITY on stream 0, §6.3.)
 */
import { expect } from 'chai';
import { startBackend, type Backend } from '../../support/backend.js';
import { startFront, type Front } from '../../support/front.js';
import { H2Client } from '../../support/h2-client.js';
import {
  ACK,
  block,
  CONTINUATION,
  DATA,
  EMPTY,
  END_HEADERS,
  END_STREAM,
  frame,
  FrameClient,
  GOAWAY,
  GREETING,
  HEADERS,
  outcomeOf,
  PADDED,
  PING,
  PRIORITY,
  PUSH_PROMISE,
  RST_STREAM,
  SETTINGS,
  u32,
  WINDOW_UPDATE,
  type Field,
  setting,
} from '../../support/raw-h2.js';

const NAME = 'a.test';
const FIELDS: readonly Field[] = [
  [':method', 'GET'],
  [':path', '/x'],
  [':scheme', 'https'],
  [':authority', NAME],
];

const request = (stream: number, flags = END_STREAM | END_HEADERS): Buffer =>
  frame(HEADERS, flags, stream, block(FIELDS));
const repeat = (count: number, bytes: (index: number) => Buffer): Buffer[] =>
  Array.from({ length: count }, (_, index) => bytes(index));

/** After the preface and our settings. */
const REFUSED: [section: string, what: string, frames: Buffer[]][] = [
  ['4.2', 'a frame longer than we take', [request(1, END_HEADERS), frame(DATA, 0, 1, Buffer.alloc(16_385))]],
  [
    '4.3',
    'a block of fields that is no HPACK',
    [frame(HEADERS, END_STREAM | END_HEADERS, 1, Buffer.from([0x80]))],
  ],
  [
    '4.3',
    'a block that is interrupted by another frame',
    [request(1, 0), frame(PING, 0, 0, Buffer.alloc(8))],
  ],
  ['5.1', 'DATA on an idle stream', [frame(DATA, END_STREAM, 1, Buffer.from('x'))]],
  ['5.1', 'RST_STREAM on an idle stream', [frame(RST_STREAM, 0, 1, u32(8))]],
  ['5.1', 'WINDOW_UPDATE on an idle stream', [frame(WINDOW_UPDATE, 0, 1, u32(1))]],
  ['5.1', 'DATA behind the end of its stream', [request(1), frame(DATA, 0, 1, Buffer.from('x'))]],
  ['5.1', 'a second head behind the end of its stream', [request(1), request(1)]],
  ['5.1.1', 'a stream with an even number', [request(2)]],
  ['6.1', 'DATA on stream 0', [frame(DATA, 0, 0, Buffer.from('x'))]],
  ['6.1', 'more padding than DATA', [request(1, END_HEADERS), frame(DATA, PADDED, 1, Buffer.from([9, 1]))]],
  ['6.2', 'HEADERS on stream 0', [request(0)]],
  [
    '6.2',
    'more padding than HEADERS',
    [frame(HEADERS, PADDED | END_HEADERS | END_STREAM, 1, Buffer.from([9, 1]))],
  ],
  ['6.3', 'PRIORITY of another length', [request(1, END_HEADERS), frame(PRIORITY, 0, 1, Buffer.alloc(4))]],
  ['6.4', 'RST_STREAM on stream 0', [frame(RST_STREAM, 0, 0, u32(8))]],
  [
    '6.4',
    'RST_STREAM of another length',
    [request(1, END_HEADERS), frame(RST_STREAM, 0, 1, Buffer.alloc(3))],
  ],
  ['6.5', 'SETTINGS with ACK and settings', [frame(SETTINGS, ACK, 0, setting(3, 1))]],
  ['6.5', 'SETTINGS on a stream', [frame(SETTINGS, 0, 1, EMPTY)]],
  ['6.5', 'SETTINGS of half a setting', [frame(SETTINGS, 0, 0, Buffer.alloc(5))]],
  ['6.5.2', 'a window larger than any', [frame(SETTINGS, 0, 0, setting(4, 2 ** 31))]],
  ['6.5.2', 'frames smaller than any', [frame(SETTINGS, 0, 0, setting(5, 16_383))]],
  ['6.5.2', 'a push that is neither on nor off', [frame(SETTINGS, 0, 0, setting(2, 2))]],
  ['9218 2.1', 'a setting of priorities that is neither on nor off', [frame(SETTINGS, 0, 0, setting(9, 2))]],
  ['6.6', 'a push of the client', [request(1, END_HEADERS), frame(PUSH_PROMISE, END_HEADERS, 1, u32(2))]],
  ['6.7', 'PING on a stream', [frame(PING, 0, 1, Buffer.alloc(8))]],
  ['6.7', 'PING of another length', [frame(PING, 0, 0, Buffer.alloc(6))]],
  ['6.8', 'GOAWAY on a stream', [frame(GOAWAY, 0, 1, Buffer.alloc(8))]],
  ['6.9', 'a window that grows by nothing', [frame(WINDOW_UPDATE, 0, 0, u32(0))]],
  ['6.9', 'WINDOW_UPDATE of another length', [frame(WINDOW_UPDATE, 0, 0, Buffer.alloc(3))]],
  ['6.9.1', 'a window that grows beyond any', [frame(WINDOW_UPDATE, 0, 0, u32(2 ** 31 - 1))]],
  ['6.10', 'CONTINUATION without a head', [frame(CONTINUATION, END_HEADERS, 1, block(FIELDS))]],
  [
    '6.10',
    'CONTINUATION on another stream',
    [request(1, END_STREAM), frame(CONTINUATION, END_HEADERS, 3, EMPTY)],
  ],
  [
    '10.5',
    'heads that go on and on',
    [
      request(1, END_STREAM),
      ...repeat(5_000, () => frame(CONTINUATION, 0, 1, block([['x', 'y'.repeat(100)]]))),
    ],
  ],
  [
    '10.5',
    'streams that are opened and reset at once',
    repeat(5_000, (index) =>
      Buffer.concat([request(2 * index + 1), frame(RST_STREAM, 0, 2 * index + 1, u32(8))]),
    ),
  ],
];

/** Nothing is wrong with these: the request behind them is answered. */
const SERVED: [section: string, what: string, frames: Buffer[]][] = [
  ['4.1', 'a frame of an unknown type', [frame(0xfa, 0xff, 0, Buffer.from('anything'))]],
  ['6.5.2', 'an unknown setting', [frame(SETTINGS, 0, 0, setting(0xfa, 1))]],
  ['6.7', 'PING', [frame(PING, 0xf0, 0, Buffer.alloc(8))]],
  ['6.3', 'PRIORITY on an idle stream', [frame(PRIORITY, 0, 3, Buffer.from([0, 0, 0, 0, 15]))]],
  ['6.9', 'a window that grows', [frame(WINDOW_UPDATE, 0, 0, u32(1_000))]],
];

describe('HTTP/2 by the frame', () => {
  let backend: Backend;
  let front: Front;
  before(async () => {
    backend = await startBackend((_, response) => response.end('hello'));
    front = await startFront({ backends: [backend.url] });
  });
  after(async () => {
    await front[Symbol.asyncDispose]();
    await backend[Symbol.asyncDispose]();
  });

  it('§3.4 begins with its preface', async () => {
    const { kind } = await outcomeOf(front.port, NAME, Buffer.from('PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n'));
    expect(kind).to.be.oneOf(['goaway', 'closed']);
  });

  for (const [section, what, frames] of REFUSED) {
    it(`§${section} refuses ${what}, and goes on with others`, async () => {
      using other = await H2Client.connect(front.port, NAME);
      const { kind } = await outcomeOf(front.port, NAME, Buffer.concat([GREETING, ...frames]));
      expect(kind).to.be.oneOf(['goaway', 'reset', 'closed']);
      expect(await other.request()).to.include({ status: 200, body: 'hello', isWhole: true });
    });
  }

  for (const [section, what, frames] of SERVED) {
    it(`§${section} takes ${what}`, async () => {
      const bytes = Buffer.concat([GREETING, ...frames, request(1)]);
      expect(await outcomeOf(front.port, NAME, bytes)).to.deep.equal({ kind: 'response', status: 200 });
    });
  }

  for (const http2Engine of ['own', 'node'] as const) {
    it(`goes on when a client resets an upload without an error, on the engine '${http2Engine}'`, async () => {
      await using silent = await startBackend((incoming, response) => {
        incoming.resume();
        if (incoming.method === 'GET') response.end();
      });
      await using other = await startFront({ backends: [silent.url], settings: { http2Engine } });
      using client = await FrameClient.connect(other.port, NAME);
      const [, ...fields] = FIELDS;
      const head = frame(HEADERS, END_HEADERS, 1, block([[':method', 'POST'], ...fields]));
      client.send(head, frame(DATA, 0, 1, Buffer.from('some')));
      client.send(frame(PING, 0, 0, Buffer.alloc(8)));
      await client.until('all is read', (seen) => seen.of(PING, 0).length === 1);
      client.send(frame(RST_STREAM, 0, 1, u32(0)), request(3));
      await client.until('the next request is answered', (seen) => seen.of(HEADERS, 3).length === 1);
    });
  }
});
