/**
 * The examples of RFC 7541 Appendix C, in both directions.
 */
import { expect } from 'chai';
import { HpackEncoder, type HpackEncoderOptions } from '../../../../../lib/proxy/http2/hpack/encoder.js';
import type { Indexing } from '../../../../../lib/proxy/http2/hpack/indexing.js';
import { writeInteger } from '../../../../../lib/proxy/http2/hpack/integer-writer.js';
import { anyDecoder, octets } from '../../../../support/hpack.js';

interface Example {
  readonly fields: readonly string[];
  readonly hex: string;
  /** Of the table after it. */
  readonly tableBytes: number;
}

const get = (scheme: string, path: string, ...more: string[]): string[] => [
  ...[':method', 'GET', ':scheme', scheme, ':path', path, ':authority', 'www.example.com'],
  ...more,
];
const requests = [
  get('http', '/'),
  get('http', '/', 'cache-control', 'no-cache'),
  get('https', '/index.html', 'custom-key', 'custom-value'),
] as const;
const redirect = (status: string, second: string): string[] => [
  ...[':status', status, 'cache-control', 'private', 'date', `Mon, 21 Oct 2013 20:13:${second} GMT`],
  ...['location', 'https://www.example.com'],
];
const cookie = 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1';
const responses = [
  redirect('302', '21'),
  redirect('307', '21'),
  [...redirect('200', '22'), 'content-encoding', 'gzip', 'set-cookie', cookie],
] as const;

/** The examples add fields that we would not. */
const allAdded: ReadonlyMap<string, Indexing> = new Map([
  ['location', 'added'],
  ['set-cookie', 'added'],
]);

const single = (fields: string[], hex: string, tableBytes: number): Example[] => [
  { fields, hex, tableBytes },
];

const examples: [what: string, options: HpackEncoderOptions, blocks: readonly Example[]][] = [
  [
    'C.2.1: a literal that is added',
    { usesHuffman: false },
    single(
      ['custom-key', 'custom-header'],
      '400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572',
      55,
    ),
  ],
  [
    'C.2.2: a literal that is not added',
    { usesHuffman: false },
    single([':path', '/sample/path'], '040c 2f73 616d 706c 652f 7061 7468', 0),
  ],
  [
    'C.2.3: a literal that is never indexed',
    { usesHuffman: false, indexing: new Map([['password', 'never indexed']]) },
    single(['password', 'secret'], '1008 7061 7373 776f 7264 0673 6563 7265 74', 0),
  ],
  ['C.2.4: an index', {}, single([':method', 'GET'], '82', 0)],
  [
    'C.3: requests',
    { usesHuffman: false },
    [
      {
        fields: requests[0],
        hex: '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
        tableBytes: 57,
      },
      { fields: requests[1], hex: '8286 84be 5808 6e6f 2d63 6163 6865', tableBytes: 110 },
      {
        fields: requests[2],
        hex: '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
        tableBytes: 164,
      },
    ],
  ],
  [
    "C.4: requests in Huffman's code",
    {},
    [
      { fields: requests[0], hex: '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff', tableBytes: 57 },
      { fields: requests[1], hex: '8286 84be 5886 a8eb 1064 9cbf', tableBytes: 110 },
      {
        fields: requests[2],
        hex: '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
        tableBytes: 164,
      },
    ],
  ],
  [
    'C.5: responses, and a table of 256 octets',
    { usesHuffman: false, maxTableBytes: 256, indexing: allAdded },
    [
      {
        fields: responses[0],
        hex:
          '4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d' +
          '546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
        tableBytes: 222,
      },
      { fields: responses[1], hex: '4803 3330 37c1 c0bf', tableBytes: 222 },
      {
        fields: responses[2],
        hex:
          '88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738' +
          '666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33' +
          '3630 303b 2076 6572 7369 6f6e 3d31',
        tableBytes: 215,
      },
    ],
  ],
  [
    "C.6: responses in Huffman's code, and a table of 256 octets",
    { maxTableBytes: 256, indexing: allAdded },
    [
      {
        fields: responses[0],
        hex:
          '4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718' +
          '63c7 8f0b 97c8 e9ae 82ae 43d3',
        tableBytes: 222,
      },
      { fields: responses[1], hex: '4883 640e ffc1 c0bf', tableBytes: 222 },
      {
        fields: responses[2],
        hex:
          '88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7' +
          'b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07',
        tableBytes: 215,
      },
    ],
  ],
];

describe('In the examples of RFC 7541', () => {
  for (const [what, options, blocks] of examples) {
    it(`${what}: they are decoded`, () => {
      const decoder = anyDecoder(options.maxTableBytes);
      for (const { fields, hex, tableBytes } of blocks) {
        expect(decoder.decode(octets(hex)).fields).to.deep.equal(fields);
        expect(decoder.tableBytes).to.equal(tableBytes);
      }
    });

    it(`${what}: they are encoded`, () => {
      const encoder = new HpackEncoder(options);
      // A table of another size than the protocol's is told of once; in the examples that has been done before.
      encoder.encode([]);
      for (const { fields, hex, tableBytes } of blocks) {
        expect(encoder.encode(fields).toString('hex')).to.equal(octets(hex).toString('hex'));
        expect(encoder.tableBytes).to.equal(tableBytes);
      }
    });
  }

  // The flags say that what they are given is the first octet of a table's size; the numbers are those of C.1.
  const numbers: [what: string, value: number, prefixBits: number, hex: string][] = [
    ['C.1.1: 10 with a prefix of 5 bits', 10, 5, '0a'],
    ['C.1.2: 1337 with a prefix of 5 bits', 1337, 5, '1f9a0a'],
    ['C.1.3: 42 with a prefix of 8 bits', 42, 8, '2a'],
  ];
  for (const [what, value, prefixBits, hex] of numbers)
    it(`${what}: it is written`, () => {
      const target = Buffer.alloc(8);
      const end = writeInteger(value, prefixBits, 0, target, 0);
      expect(target.toString('hex', 0, end)).to.equal(hex);
    });

  it('C.1.1 and C.1.2: they are read', () => {
    // As sizes of the table.
    for (const hex of ['2a', '3f9a0a']) expect(() => anyDecoder(1337).decode(octets(hex))).not.to.throw();
    for (const hex of ['2a', '3f9a0a'])
      expect(() => anyDecoder(hex === '2a' ? 9 : 1336).decode(octets(hex))).to.throw('above our limit');
  });
});
