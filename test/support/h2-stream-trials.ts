/**
 * What a client may try on HTTP/2 with frames of a stream (RFC 9113): its numbers, DATA, heads and blocks, and frames on a closed one.
 */
import { madeHead } from './h2-field-cases.js';
import type { SequenceMaker } from './h2-sequences.js';
import {
  alone,
  last,
  onAnswered,
  onHalfClosed,
  onOpen,
  onReset,
  priority,
  rawBlock,
  rawHead,
  update,
  window,
  type TrialRow,
} from './h2-trial-kinds.js';
import {
  CONTINUATION,
  DATA,
  EMPTY,
  END_HEADERS,
  END_STREAM,
  frame,
  HEADERS,
  PADDED,
  PING,
  PRIORITY,
  RST_STREAM,
  u32,
} from './raw-h2.js';

const MAX_WINDOW = 0x7fff_ffff;
const PRIORITY_FLAG = 0x20;

const CLOSED_FRAMES: readonly (readonly [
  what: string,
  write: (id: number, maker: SequenceMaker) => readonly Buffer[],
])[] = [
  ['DATA', (id) => [frame(DATA, 0, id, Buffer.from('late'))]],
  ['the end of DATA', (id) => [last(id)]],
  ['HEADERS', (id, maker) => maker.head(id, [['x-late', '1']], true)],
  ['WINDOW_UPDATE', (id) => [window(id, 1)]],
  ['WINDOW_UPDATE of 0', (id) => [window(id, 0)]],
  ['a window above all', (id) => [window(id, MAX_WINDOW)]],
  ['RST_STREAM', (id) => [frame(RST_STREAM, 0, id, u32(8))]],
  ['PRIORITY', (id) => [priority(id, id + 2)]],
  ['PRIORITY of itself', (id) => [priority(id, id)]],
  ['PRIORITY of another length', (id) => [frame(PRIORITY, 0, id, Buffer.alloc(4))]],
  ['an unknown frame', (id) => [frame(0xfa, 0xff, id, Buffer.from('x'))]],
  ['PRIORITY_UPDATE', (id) => [update(id, 'u=1')]],
];

export const STREAM_TRIALS: readonly TrialRow[] = [
  // §4, §5: frames at all.
  ['a frame that is too long', onOpen((id) => [frame(DATA, 0, id, Buffer.alloc(16_385)), last(id)])],
  ['an unknown frame that is too long', alone(frame(0xfa, 0, 0, Buffer.alloc(16_385)))],
  ['an unknown frame', alone(frame(0xfa, 0xff, 0, Buffer.alloc(16_384)))],
  ['a reserved bit', (maker) => maker.push(frame(PING, 0, 0x8000_0000, Buffer.alloc(8)))],
  ['HEADERS on stream 0', rawHead((_, block) => [frame(HEADERS, END_HEADERS | END_STREAM, 0, block())])],
  [
    'HEADERS on an even stream',
    rawHead((id, block) => [frame(HEADERS, END_HEADERS | END_STREAM, id + 1, block())]),
  ],
  ['DATA on stream 0', alone(frame(DATA, 0, 0, Buffer.from('x')))],
  ['DATA on an idle stream', alone(frame(DATA, 0, 10_001, Buffer.from('x')))],
  ['DATA on an even stream', alone(frame(DATA, 0, 10_002, Buffer.from('x')))],
  ['RST_STREAM on stream 0', alone(frame(RST_STREAM, 0, 0, u32(8)))],
  ['RST_STREAM on an idle stream', alone(frame(RST_STREAM, 0, 10_001, u32(8)))],
  ['RST_STREAM on an even stream', alone(frame(RST_STREAM, 0, 2, u32(8)))],
  ['RST_STREAM of another length', onOpen((id) => [frame(RST_STREAM, 0, id, Buffer.alloc(5)), last(id)])],
  ['WINDOW_UPDATE on an idle stream', alone(window(10_001, 1))],
  ['WINDOW_UPDATE on an even stream', alone(window(2, 1))],
  ['WINDOW_UPDATE of 0 on an idle stream', alone(window(10_001, 0))],
  [
    'a stream below the last',
    (maker, label) => {
      const skipped = maker.takeId();
      maker.request({ isPlain: true });
      const { fields } = madeHead(maker.random, { mark: maker.markOf(skipped), isPlain: true });
      maker.expects(skipped, label).isCancelled = true;
      maker.push(...maker.head(skipped, fields, true));
    },
  ],
  [
    'a stream far above the last',
    (maker) => {
      maker.takeId(1_000);
      maker.request({ isPlain: true });
    },
  ],
  // §6.1
  [
    'DATA above its length',
    onOpen((id) => [frame(DATA, 0, id, Buffer.from('four')), last(id)], [['content-length', '3']]),
  ],
  [
    'DATA above its length at the end',
    onOpen((id) => [frame(DATA, END_STREAM, id, Buffer.from('four'))], [['content-length', '3']]),
  ],
  [
    'DATA below its length',
    onOpen((id) => [frame(DATA, END_STREAM, id, Buffer.from('four'))], [['content-length', '5']]),
  ],
  ['no DATA but a length', onOpen((id) => [last(id)], [['content-length', '5']])],
  [
    'trailers before the length',
    onOpen((id, maker) => maker.head(id, [['x-t', '1']], true), [['content-length', '5']]),
  ],
  [
    'DATA but a length of 0',
    onOpen((id) => [frame(DATA, END_STREAM, id, Buffer.from('x'))], [['content-length', '0']]),
  ],
  [
    'DATA of its length',
    onOpen((id) => [frame(DATA, END_STREAM, id, Buffer.from('four'))], [['content-length', '4']]),
  ],
  ['DATA with padding only', onOpen((id) => [frame(DATA, PADDED, id, Buffer.from([3, 0, 0, 0])), last(id)])],
  [
    'DATA with a little too much padding',
    onOpen((id) => [frame(DATA, PADDED, id, Buffer.from([4, 0, 0, 0])), last(id)]),
  ],
  ['DATA without the length of its padding', onOpen((id) => [frame(DATA, PADDED, id, EMPTY), last(id)])],
  [
    'DATA whose padding is not 0',
    onOpen((id) => [frame(DATA, PADDED | END_STREAM, id, Buffer.from([2, 65, 66, 67]))]),
  ],
  // §6.2
  [
    'HEADERS with too much padding',
    rawHead((id, block) => [
      frame(
        HEADERS,
        END_HEADERS | END_STREAM | PADDED,
        id,
        Buffer.concat([Buffer.from([255]), block().subarray(0, 100)]),
      ),
    ]),
  ],
  [
    'HEADERS with padding only',
    rawHead((id) => [frame(HEADERS, END_HEADERS | END_STREAM | PADDED, id, Buffer.from([2, 0, 0]))]),
  ],
  [
    'HEADERS of nothing but too little for padding',
    rawHead((id) => [frame(HEADERS, END_HEADERS | END_STREAM | PADDED, id, EMPTY)]),
  ],
  [
    'HEADERS too short for its priority',
    rawHead((id) => [frame(HEADERS, END_HEADERS | END_STREAM | PRIORITY_FLAG, id, Buffer.alloc(4))]),
  ],
  [
    'HEADERS that depend on themselves',
    rawHead((id, block) => [
      frame(
        HEADERS,
        END_HEADERS | END_STREAM | PRIORITY_FLAG,
        id,
        Buffer.concat([u32(id), Buffer.from([1]), block()]),
      ),
    ]),
  ],
  ['an empty block', rawHead((id) => [frame(HEADERS, END_HEADERS | END_STREAM, id, EMPTY)])],
  // §4.3, RFC 7541
  ['a block of index 0', rawBlock(0x80)],
  ['a block of an entry that is not there', rawBlock(0xff, 0x80, 0x7f)],
  ['a block that breaks off', rawBlock(0x82, 0x40)],
  ['a block that breaks off within a text', rawBlock(0x00, 0x05, 0x61)],
  ['a block with a number without end', rawBlock(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f)],
  ['a block with a number of many octets', rawBlock(0x00, 0x7f, 0x80, 0x80, 0x80, 0x00)],
  ['a block with Huffman padding of 8', rawBlock(0x00, 0x82, 0x1f, 0xff, 0x01, 0x31)],
  ['a block with Huffman padding of 0', rawBlock(0x00, 0x81, 0x18, 0x01, 0x31)],
  ['a block with the end of Huffman', rawBlock(0x00, 0x84, 0xff, 0xff, 0xff, 0xff, 0x01, 0x31)],
  ['a block with a size above ours', rawBlock(0x3f, 0xe2, 0x1f, 0x82)],
  ['a block with a size behind a field', rawBlock(0x82, 0x20)],
  [
    'a block of nothing but a size',
    (maker, label) => {
      const id = maker.takeId();
      maker.expects(id, label);
      maker.blocks.resize(0);
      maker.push(...maker.head(id, [], true));
    },
  ],
  [
    'a block with two sizes',
    (maker) => {
      maker.blocks.resize(0);
      maker.blocks.resize(4_096);
      maker.request({ isPlain: true });
    },
  ],
  [
    'a block with three sizes',
    (maker) => {
      for (const bytes of [0, 100, 4_096]) maker.blocks.resize(bytes);
      maker.request({ isPlain: true });
    },
  ],
  // §6.10
  ['CONTINUATION without a head', alone(frame(CONTINUATION, END_HEADERS, 1, EMPTY))],
  ['CONTINUATION on stream 0', alone(frame(CONTINUATION, END_HEADERS, 0, EMPTY))],
  [
    'CONTINUATION of another stream',
    rawHead((id, block) => [
      frame(HEADERS, END_STREAM, id, block()),
      frame(CONTINUATION, END_HEADERS, id + 2, EMPTY),
    ]),
  ],
  [
    'CONTINUATION behind the end of a head',
    rawHead((id, block) => [
      frame(HEADERS, END_HEADERS | END_STREAM, id, block()),
      frame(CONTINUATION, END_HEADERS, id, EMPTY),
    ]),
  ],
  [
    'PING within a block',
    rawHead((id, block) => [frame(HEADERS, END_STREAM, id, block()), frame(PING, 0, 0, Buffer.alloc(8))]),
  ],
  [
    'an unknown frame within a block',
    rawHead((id, block) => [frame(HEADERS, END_STREAM, id, block()), frame(0xfa, 0, id, EMPTY)]),
  ],
  [
    'CONTINUATION with all flags',
    rawHead((id, block) => [frame(HEADERS, END_STREAM, id, EMPTY), frame(CONTINUATION, 0xff, id, block())]),
  ],
  [
    'five empty CONTINUATIONs',
    rawHead((id, block) => [
      frame(HEADERS, END_STREAM, id, block()),
      ...Array.from({ length: 5 }, (_, i) => frame(CONTINUATION, i === 4 ? END_HEADERS : 0, id, EMPTY)),
    ]),
  ],
  [
    'ten CONTINUATIONs',
    rawHead((id, block) => [
      frame(HEADERS, END_STREAM, id, block()),
      ...Array.from({ length: 10 }, (_, i) => frame(CONTINUATION, i === 9 ? END_HEADERS : 0, id, EMPTY)),
    ]),
  ],
  [
    'a hundred CONTINUATIONs',
    rawHead((id, block) => [
      frame(HEADERS, END_STREAM, id, block()),
      ...Array.from({ length: 100 }, (_, i) => frame(CONTINUATION, i === 99 ? END_HEADERS : 0, id, EMPTY)),
    ]),
  ],
  // §8.1
  ['trailers that do not end', onOpen((id, maker) => [...maker.head(id, [['x-t', '1']], false), last(id)])],
  [
    'a second head',
    onOpen((id, maker) =>
      maker.head(
        id,
        [
          [':method', 'GET'],
          [':path', '/second'],
          [':scheme', 'https'],
          [':authority', 'a.test'],
        ],
        true,
      ),
    ),
  ],
  // §5.1
  ...CLOSED_FRAMES.flatMap(([what, write]): TrialRow[] => [
    [`${what} behind the end of a request`, onHalfClosed(write)],
    [`${what} behind a reset of the client`, onReset(write)],
    [`${what} behind an answer`, onAnswered(write)],
    [
      `${what} behind a reset of ours`,
      (maker) => {
        const id = maker.takeId();
        maker.expects(id, 'a name in capitals');
        const { fields } = madeHead(maker.random, {
          mark: maker.markOf(id),
          hasBody: true,
          label: 'a name in capitals',
        });
        maker.push(...maker.head(id, fields, false));
        maker.end('traffic');
        maker.push(...write(id, maker));
      },
    ],
  ]),
];
