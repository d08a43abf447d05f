/**
 * Chunks whose lines, sizes, ends and extensions one reader takes and another does not.
 */
import { chunked, describeHostile, HIDDEN, POISON, type Case } from '../../../support/hostile.js';

const sizes = [
  ...[
    '',
    ' 2',
    '2 ',
    '\t2',
    '2\t',
    '2 \t',
    '+2',
    '-2',
    '0x2',
    '0X2',
    '2h',
    'x2',
    '\\x2',
    '%32',
    '2.',
    '2.0',
    '2,',
    '2_',
    '0_2',
    '_2',
  ],
  ...[
    '"2"',
    "'2'",
    '\xb2',
    '\xd9\xa2',
    '\xef\xbc\x92',
    '\xa02',
    '2\xa0',
    '\x002',
    '2\0',
    '2\x0b',
    '\x0b2',
    '2\x0c',
    '2\x7f',
    'g',
    '2 0',
    '2g',
  ],
  ...[
    '0000000000002',
    '1000000000002',
    '100000002\0',
    '8000000000000002',
    'fffffffffffffffe',
    '10000000000000002',
    '-fffffffffffffffe',
  ],
];
/** Ends of a line in place of CRLF. */
const ends = ['\n', '\r', '\r\r\n', '\n\r', '\n\n', '\r\n\0', '\0\r\n', '\x0b', '\x85', '\r \n', ' \r\n', ''];

describeHostile('A chunk', [
  ...sizes.map((size): Case => [
    `of ${JSON.stringify(size)} octets`,
    chunked(`${size}\r\nxx\r\n${HIDDEN}`),
    400,
  ]),
  ...sizes
    .filter((size) => size !== '')
    .map((size): Case => [
      `of ${JSON.stringify(size)} octets with an extension`,
      chunked(`${size};a=b\r\nxx\r\n${HIDDEN}`),
      400,
    ]),
  ...ends.map((end): Case => [
    `whose size ends with ${JSON.stringify(end)}`,
    chunked(`2${end}xx\r\n${HIDDEN}`),
    400,
  ]),
  ...ends
    .filter((end) => ![' \r\n', '\x85', ''].includes(end))
    .map((end): Case => [
      `whose extension ends with ${JSON.stringify(end)}`,
      chunked(`2;a${end}xx\r\n${HIDDEN}`),
      400,
    ]),
  ...ends
    .filter((end) => end !== '\r\n\0')
    .map((end): Case => [`that ends with ${JSON.stringify(end)}`, chunked(`2\r\nxx${end}${HIDDEN}`), 400]),
  ...ends.map((end): Case => [
    `that is the last and ends with ${JSON.stringify(end)}`,
    chunked(`0${end}\r\n`),
    400,
  ]),
  ...ends
    // A line end is the end, whatever follows.
    .filter((end) => end !== '' && end !== '\r\n\0')
    .map((end): Case => [`behind whose last one is ${JSON.stringify(end)}`, chunked(`0\r\n${end}`), 400]),
  ['that is longer by one octet', chunked(`2\r\nxxx\r\n${HIDDEN}`), 400],
  ['that is longer by two octets', chunked(`2\r\nxxyy\r\n${HIDDEN}`), 400],
  ['that is longer by a line end', chunked(`2\r\nxx\r\n\r\n${HIDDEN}`), 400],
  ['that is shorter by one octet', chunked(`3\r\nxx\r\n${HIDDEN}`), 400],
  ['that is shorter by a line end', chunked(`4\r\nxx\r\n${HIDDEN}`), 400],
  ['that spills into the next size', chunked(`5\r\nAAAAAX2\r\nxx\r\n${HIDDEN}`), 400],
  ['that spills two octets for a line end', chunked(`5\r\nAAAAAXX2\r\nxx\r\n${HIDDEN}`), 400],
  [
    'whose extension has a request in it',
    chunked(`2;\n${HIDDEN.replaceAll('\r\n', '\n')}\r\nxx\r\n0\r\n\r\n`),
    400,
  ],
  ['whose extension has a CR', chunked(`2;a\rb\r\nxx\r\n${HIDDEN}`), 400],
  ['whose extension has a NUL', chunked(`2;a\0b\r\nxx\r\n${HIDDEN}`), 400],
  ['whose extension has a DEL', chunked(`2;a\x7fb\r\nxx\r\n${HIDDEN}`), 400],
  ['whose extension has another control character', chunked(`2;a\x1bb\r\nxx\r\n${HIDDEN}`), 400],
  ['whose extension is very long', chunked(`2;${'a'.repeat(20_000)}\r\nxx\r\n${HIDDEN}`), 413],
  [
    'of which there are many with extensions',
    chunked(`${`2;${'a'.repeat(198)}\r\nxx\r\n`.repeat(100)}${HIDDEN}`),
    413,
  ],
  ['in place of which there is the next request', chunked(''), 400],
  ['in place of which there is an LF', chunked(`\n${HIDDEN}`), 400],
  ['without its last line', chunked('2\r\nxx\r\n0\r\n'), 400],
  ['with a trailer without a colon', chunked('0\r\nX\r\n\r\n'), 400],
  ['with a trailer with a blank before its colon', chunked('0\r\nX : y\r\n\r\n'), 400],
  ['with a trailer that is folded', chunked('0\r\nX: y\r\n z\r\n\r\n'), 400],
  ['with a trailer that ends with LF', chunked('0\r\nX: y\n\r\n'), 400],
  ['with a trailer with a CR in it', chunked('0\r\nX: y\rZ: z\r\n\r\n'), 400],
  ['with a trailer with a NUL in it', chunked('0\r\nX: y\0\r\n\r\n'), 400],
  ['with trailers behind an LF', chunked('0\r\nX: y\r\n\n'), 400],
  ['with very long trailers', chunked(`0\r\n${`X: ${'y'.repeat(1_000)}\r\n`.repeat(70)}\r\n`), 431],
  ['with an extension in quotes that are open', chunked('2;a="\r\nxx\r\n0\r\n\r\n'), { body: 'xx' }],
  ['with an extension of blanks', chunked('2; \t \r\nxx\r\n0\r\n\r\n'), { body: 'xx' }],
  ['with an extension that looks like one', chunked('2;2\r\nxx\r\n0;2\r\n\r\n'), { body: 'xx' }],
  ['with an extension beyond ASCII', chunked('2;\xe9=\xff\r\nxx\r\n0\r\n\r\n'), { body: 'xx' }],
  ['with zeros for its size', chunked('2\r\nxx\r\n00000\r\n\r\n'), { body: 'xx' }],
  ['with zeros before its size', chunked('000000000002\r\nxx\r\n0\r\n\r\n'), { body: 'xx' }],
  ['with a size in capitals', chunked('A\r\n0123456789\r\n0\r\n\r\n'), { body: '0123456789' }],
  [
    'with a request in it',
    chunked(`${POISON.length.toString(16)}\r\n${POISON}\r\n0\r\n\r\n`),
    { body: POISON },
  ],
  ['with the end of chunks in it', chunked('5\r\n0\r\n\r\n\r\n0\r\n\r\n'), { body: '0\r\n\r\n' }],
  [
    'with trailers that would be framing',
    chunked(
      '2\r\nxx\r\n0\r\nContent-Length: 40\r\nTransfer-Encoding: x\r\nHost: b.test\r\nExpect: y\r\n\r\n',
    ),
    {
      body: 'xx',
      lacks: ['content-length', 'expect'],
      has: [
        ['host', 'a.test'],
        ['transfer-encoding', 'chunked'],
      ],
    },
  ],
]);
