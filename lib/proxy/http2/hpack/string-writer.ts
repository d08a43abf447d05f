/**
 * Writes strings as RFC 7541 §5.2 has them. PURE.
 */
import { huffmanBytes, writeHuffman } from './huffman-encoder.js';
import { MAX_INTEGER_BYTES, writeInteger } from './integer-writer.js';

const HUFFMAN = 0x80;
/** The length of strings up to this takes one octet. */
const MAX_SHORT_LENGTH = 126;
/** Up to this a loop is faster than a call out of JavaScript. */
const MAX_LOOP_LENGTH = 32;

/** The most octets that `writeString` takes for a string of so many. */
export function maxStringBytes(length: number): number {
  return length + MAX_INTEGER_BYTES;
}

/**
 * Writes a string with its length.
 *
 * @param text a character for each octet (latin1).
 * @param usesHuffman where that is not longer: the examples of RFC 7541 do the same (§C.6.2).
 * @param target has room for `maxStringBytes(text.length)` behind `start`.
 * @returns where it has ended.
 */
export function writeString(text: string, usesHuffman: boolean, target: Buffer, start: number): number {
  const { length } = text;
  if (usesHuffman) {
    const end =
      length <= MAX_SHORT_LENGTH
        ? writeShort(text, target, start)
        : writeLong(text, huffmanBytes(text), target, start);
    if (end !== -1) return end;
  }
  const at = writeInteger(length, 7, 0, target, start);
  if (length > MAX_LOOP_LENGTH) return at + target.write(text, at, 'latin1');
  for (let i = 0; i < length; i += 1) target[at + i] = text.charCodeAt(i);
  return at + length;
}

/** Before it is written, nobody knows how long it becomes: but its length takes one octet. */
function writeShort(text: string, target: Buffer, start: number): number {
  const end = writeHuffman(text, target, start + 1, text.length);
  if (end !== -1) target[start] = HUFFMAN | (end - start - 1);
  return end;
}

function writeLong(text: string, bytes: number, target: Buffer, start: number): number {
  if (bytes > text.length) return -1;
  return writeHuffman(text, target, writeInteger(bytes, 7, HUFFMAN, target, start), bytes);
}
