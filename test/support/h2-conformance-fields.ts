/**
 * Blocks of fields, and what a server makes of them. Sections are those of RFC 9113, and of RFC 7541 where they say HPACK.
 */
import {
  PROTOCOL,
  COMPRESSION,
  type Case,
  connection,
  stream,
  ANSWERED,
  fieldsOf,
  bytes,
  text,
  head,
  get,
  post,
  data,
  coded,
  without,
} from './h2-conformance.js';
import { EMPTY, END_HEADERS, END_STREAM, frame, HEADERS } from './raw-h2.js';

/** RFC 7541 C.4.3: `custom-key` and `custom-value`, in Huffman's code. */
const HUFFMAN_KEY = Buffer.from('8825a849e95ba97d7f', 'hex');
const HUFFMAN_VALUE = Buffer.from('8925a849e95bb8e8b4bf', 'hex');
/** Of the static table. */
const USER_AGENT = 58;

export const FIELD_CASES: readonly Case[] = [
  // --- 8: requests
  ['8.1', 'a GET', ANSWERED, [get()]],
  ['8.1', 'a HEAD', ANSWERED, [head(1, fieldsOf('HEAD', '/'))]],
  ['8.1', 'a POST', ANSWERED, [post(), data('body')]],
  ['8.1', 'a POST with trailers', ANSWERED, [post(), data('body', 0), head(1, [['x-trailer', '1']])]],
  [
    '8.1',
    'trailers that do not end the stream',
    stream(PROTOCOL),
    [post(), head(1, [['x-trailer', '1']], END_HEADERS)],
  ],
  [
    '8.1',
    'a pseudo field in trailers',
    stream(PROTOCOL),
    [post(), data('x', 0), head(1, [[':method', 'POST']])],
  ],
  [
    '8.1.1',
    'a length that is not that of the body',
    stream(PROTOCOL),
    [post(1, ['content-length', '1']), data('xy')],
  ],
  [
    '8.1.1',
    'a length that is not that of all DATA',
    stream(PROTOCOL),
    [post(1, ['content-length', '3']), data('x', 0), data('y')],
  ],
  ['8.2', 'a name in upper case', stream(PROTOCOL), [get(1, ['X-Test', '1'])]],
  ['8.2.2', 'a field of the connection', stream(PROTOCOL), [get(1, ['connection', 'keep-alive'])]],
  ['8.2.2', 'TE for more than trailers', stream(PROTOCOL), [get(1, ['te', 'trailers, deflate'])]],
  ['8.2.2', 'TE for trailers', ANSWERED, [get(1, ['te', 'trailers'])]],
  ['8.3', 'a pseudo field that nobody knows', stream(PROTOCOL), [head(1, [...without(), [':test', '1']])]],
  ['8.3', 'a pseudo field of responses', stream(PROTOCOL), [head(1, [...without(), [':status', '200']])]],
  [
    '8.3',
    'a pseudo field behind others',
    stream(PROTOCOL),
    [head(1, [...without(':path'), ['x', '1'], [':path', '/']])],
  ],
  ['8.3.1', 'an empty path', stream(PROTOCOL), [head(1, [...without(':path'), [':path', '']])]],
  ...[':method', ':scheme', ':path'].flatMap((name): Case[] => [
    ['8.3.1', `no ${name}`, stream(PROTOCOL), [head(1, without(name))]],
    [
      '8.3.1',
      `${name} twice`,
      stream(PROTOCOL),
      [head(1, [...without(), ...without().filter(([each]) => each === name)])],
    ],
  ]),

  // --- HPACK
  [
    'HPACK 6.1',
    'fields of the static table',
    ANSWERED,
    [frame(HEADERS, END_STREAM | END_HEADERS, 1, bytes(0x82, 0x84, 0x87, 0x90))],
  ],
  ...(
    [
      ['with indexing', bytes(0x40 | USER_AGENT), bytes(0x40)],
      ['without indexing', bytes(0x0f, USER_AGENT - 15), bytes(0x00)],
      ['never indexed', bytes(0x1f, USER_AGENT - 15), bytes(0x10)],
    ] satisfies [string, Buffer, Buffer][]
  ).flatMap(([how, known, other]): Case[] => [
    ['HPACK 6.2', `a field ${how}, its name by index`, ANSWERED, [coded(Buffer.concat([known, text('me')]))]],
    ['HPACK 6.2', `the same in Huffman's code`, ANSWERED, [coded(Buffer.concat([known, HUFFMAN_VALUE]))]],
    [
      'HPACK 6.2',
      `a field ${how}, its name new`,
      ANSWERED,
      [coded(Buffer.concat([other, text('x'), text('y')]))],
    ],
    [
      'HPACK 6.2',
      `the same, its name new, in Huffman's code`,
      ANSWERED,
      [coded(Buffer.concat([other, HUFFMAN_KEY, HUFFMAN_VALUE]))],
    ],
  ]),
  ['HPACK 6.3', 'another size of the table', ANSWERED, [coded(EMPTY, bytes(0x20))]],
  ['HPACK 6.3', 'several sizes of the table', ANSWERED, [coded(EMPTY, bytes(0x20, 0x3f, 0xe1, 0x1f))]],
  ['HPACK 6.3', 'a size above ours', connection(COMPRESSION), [coded(EMPTY, bytes(0x3f, 0xe2, 0x1f))]],
  ['HPACK 4.2', 'a size behind fields', connection(COMPRESSION), [coded(bytes(0x20))]],
  ['HPACK 2.3.3', 'an index that there is not', connection(COMPRESSION), [coded(bytes(0xff, 0x80, 0x01))]],
  [
    'HPACK 2.3.3',
    'a name that there is not',
    connection(COMPRESSION),
    [coded(bytes(0x7f, 0x80, 0x01, 0x01, 0x78))],
  ],
  ['HPACK 6.1', 'index 0', connection(COMPRESSION), [coded(bytes(0x80))]],
  [
    'HPACK 5.2',
    'a code padded by more than 7 bits',
    connection(COMPRESSION),
    [coded(bytes(0, 1, 0x78, 0x82, 0x1f, 0xff))],
  ],
  ['HPACK 5.2', 'a code padded by zeros', connection(COMPRESSION), [coded(bytes(0, 1, 0x78, 0x81, 0x18))]],
  [
    'HPACK 5.2',
    'the end of strings as a code',
    connection(COMPRESSION),
    [coded(bytes(0, 1, 0x78, 0x84, 0xff, 0xff, 0xff, 0xff))],
  ],
];
