/**
 * Shortens strings with the Huffman code (RFC 7541 §5.2). PURE.
 */
import { CODE_BITS, CODES } from './huffman-code.js';

/** By octet, where its code has at most 8 bits: the code, and behind it in 4 bits how many they are. Otherwise 0. */
const SHORT_CODES = Uint16Array.from(CODES, (code, octet) => {
  const bits = CODE_BITS[octet] ?? 0;
  return bits <= 8 ? (code << 4) | bits : 0;
});
/** Up to so many bits of a code fit in 32 beside the 7 that may be left of the one before. */
const MAX_BITS_AT_ONCE = 24;
const LOW_BITS = 16;

/** How many octets a string would have. @param text a character for each octet (latin1). */
export function huffmanBytes(text: string): number {
  let bits = 0;
  for (let i = 0; i < text.length; i += 1) bits += CODE_BITS[text.charCodeAt(i) & 0xff] ?? 0;
  return (bits + 7) >>> 3;
}

/**
 * Writes a string, without its length.
 *
 * @param text a character for each octet (latin1).
 * @param target has room for `maxBytes` and 4 octets more behind `start`.
 * @returns where it has ended; -1: it has more than `maxBytes`, and what is behind `start` is spoilt.
 */
export function writeHuffman(text: string, target: Uint8Array, start: number, maxBytes: number): number {
  const limit = start + maxBytes;
  let at = start;
  /** The lowest `left` bits of it are not written. Those above were, and run out at the top. */
  let pending = 0;
  let left = 0;
  for (let i = 0; i < text.length; i += 1) {
    const octet = text.charCodeAt(i) & 0xff;
    const short = SHORT_CODES[octet] ?? 0;
    if (short !== 0) {
      const bits = short & 15;
      pending = (pending << bits) | (short >>> 4);
      left += bits;
      // Where there are no 8 bits yet, it is written over later: asking first takes twice as long.
      target[at] = pending >>> (left - 8);
      at += left >>> 3;
      left &= 7;
    } else {
      let code = CODES[octet] ?? 0;
      let bits = CODE_BITS[octet] ?? 0;
      if (bits > MAX_BITS_AT_ONCE) {
        bits -= LOW_BITS;
        pending = (pending << bits) | (code >>> LOW_BITS);
        for (left += bits; left >= 8; at += 1) {
          left -= 8;
          target[at] = pending >>> left;
        }
        code &= 0xffff;
        bits = LOW_BITS;
      }
      pending = (pending << bits) | code;
      for (left += bits; left >= 8; at += 1) {
        left -= 8;
        target[at] = pending >>> left;
      }
    }
    if (at > limit) return -1;
  }
  if (left > 0) {
    // The beginning of EOS: ones.
    target[at] = (pending << (8 - left)) | (0xff >>> left);
    at += 1;
  }
  return at > limit ? -1 : at;
}
