import { expect } from 'chai';
import { CODE_BITS, CODES } from '../../../../../lib/proxy/http2/hpack/huffman-code.js';
import { decodeHuffman, maxDecodedBytes } from '../../../../../lib/proxy/http2/hpack/huffman-decoder.js';
import { huffmanBytes, writeHuffman } from '../../../../../lib/proxy/http2/hpack/huffman-encoder.js';
import { SeededRandom } from '../../../../support/truth-random.js';

const ALL = String.fromCharCode(...Array.from({ length: 256 }, (_, octet) => octet));

function coded(text: string): Buffer {
  const bytes = huffmanBytes(text);
  const target = Buffer.alloc(bytes + 4);
  expect(writeHuffman(text, target, 0, bytes)).to.equal(bytes);
  return target.subarray(0, bytes);
}

/** undefined: it is malformed. */
function decoded(bytes: Buffer): string | undefined {
  const room = maxDecodedBytes(bytes.length);
  const target = Buffer.alloc(room + 1, 0xee);
  const length = decodeHuffman(bytes, 0, bytes.length, target);
  expect(target[room]).to.equal(0xee);
  return length === -1 ? undefined : target.toString('latin1', 0, length);
}

/** What a bit string is in octets. */
const octetsOf = (bits: string): Buffer =>
  Buffer.from((bits.match(/.{8}/g) ?? []).map((octet) => parseInt(octet, 2)));

const codeOf = (octet: number): string =>
  (CODES[octet] ?? 0).toString(2).padStart(CODE_BITS[octet] ?? 0, '0');

describe("Huffman's code", () => {
  // RFC 7541 Appendix B: from each length one, most of them the last.
  const rows: [octet: number, hex: number, bits: number][] = [
    ...([
      [0x30, 0x0, 5],
      [0x74, 0x9, 5],
      [0x20, 0x14, 6],
      [0x75, 0x2d, 6],
      [0x3a, 0x5c, 7],
    ] as const),
    ...([
      [0x7a, 0x7b, 7],
      [0x5a, 0xfd, 8],
      [0x3f, 0x3fc, 10],
      [0x7c, 0x7fc, 11],
      [0x3e, 0xffb, 12],
    ] as const),
    ...([
      [0x7e, 0x1ffd, 13],
      [0x7d, 0x3ffd, 14],
      [0x7b, 0x7ffe, 15],
      [0xd0, 0x7fff2, 19],
    ] as const),
    ...([
      [0xe2, 0xfffed, 20],
      [0xe6, 0x1fffe8, 21],
      [0xe9, 0x3fffeb, 22],
      [0xef, 0x7ffff4, 23],
    ] as const),
    ...([
      [0xed, 0xfffff5, 24],
      [0xeb, 0x1ffffef, 25],
      [0xff, 0x3ffffee, 26],
      [0xfe, 0x7fffff0, 27],
    ] as const),
    ...([
      [0xf9, 0xffffffe, 28],
      [0x16, 0x3ffffffe, 30],
    ] as const),
  ].map(([octet = 0, hex = 0, bits = 0]) => [octet, hex, bits]);
  it('is that of the RFC', () => {
    for (const [octet, hex, bits] of rows)
      expect([octet, CODES[octet], CODE_BITS[octet]]).to.deep.equal([octet, hex, bits]);
  });

  it('gives every octet back, behind and before every other one', () => {
    for (const first of ALL)
      for (const second of ALL) expect(decoded(coded(first + second))).to.equal(first + second);
    expect(decoded(coded(ALL))).to.equal(ALL);
    expect(decoded(coded(''))).to.equal('');
  });

  it('gives long strings back', () => {
    const random = new SeededRandom(7);
    for (let run = 0; run < 200; run++) {
      const text = Array.from({ length: random.between(0, 2_000) }, () => random.pick(ALL.split(''))).join(
        '',
      );
      expect(decoded(coded(text))).to.equal(text);
    }
  });

  it('is not written where it would be longer than allowed', () => {
    for (const text of ['aaaa', '\0', '\n', '\xff\xff', 'aaaaaaaaaaaaaaa~']) {
      const bytes = huffmanBytes(text);
      const target = Buffer.alloc(bytes + 4, 0xee);
      expect(writeHuffman(text, target, 0, bytes - 1), text).to.equal(-1);
      expect(writeHuffman(text, target, 0, bytes), text).to.equal(bytes);
    }
    const target = Buffer.alloc(200, 0xee);
    expect(writeHuffman('\n'.repeat(50), target, 0, 50)).to.equal(-1);
    expect(target.subarray(54).every((octet) => octet === 0xee)).to.equal(true);
  });

  it('ends with up to seven ones, and nothing else', () => {
    // Codes of 5, 6, 7 and 8 bits; and with each as many ones as make whole octets.
    for (const text of ['0', '00', '000', '0000', '00000', '000000', '0000000', '00000000', 'a&', ' ', ':']) {
      const bits = Array.from(text, (octet) => codeOf(octet.charCodeAt(0))).join('');
      const missing = (8 - (bits.length % 8)) % 8;
      expect(decoded(octetsOf(bits + '1'.repeat(missing))), text).to.equal(text);
      expect(decoded(octetsOf(bits + '1'.repeat(missing + 8))), `${text} and 8 ones more`).to.equal(
        undefined,
      );
      expect(decoded(octetsOf(bits + '1'.repeat(missing + 16)))).to.equal(undefined);
      for (let zero = 0; zero < missing; zero++) {
        const padding = '1'.repeat(zero) + '0' + '1'.repeat(missing - zero - 1);
        // Five bits of padding may be another octet.
        const found = decoded(octetsOf(bits + padding));
        if (missing < 5) expect(found, `${text} ${padding}`).to.equal(undefined);
        else expect(found).not.to.equal(text);
      }
    }
    expect(decoded(Buffer.from([0xff]))).to.equal(undefined);
    expect(decoded(Buffer.from([0x07, 0xff]))).to.equal(undefined);
  });

  it('may not hold EOS', () => {
    const eos = '1'.repeat(30);
    for (const before of ['', '0', '000', 'aaaaa', '&']) {
      const bits = Array.from(before, (octet) => codeOf(octet.charCodeAt(0))).join('') + eos;
      const whole = bits + '1'.repeat((8 - (bits.length % 8)) % 8);
      expect(decoded(octetsOf(whole)), `${before} EOS`).to.equal(undefined);
      // And a valid string behind it.
      const followed = bits + codeOf(0x26).repeat(8);
      expect(decoded(octetsOf(followed + '1'.repeat((8 - (followed.length % 8)) % 8)))).to.equal(undefined);
    }
  });
});
