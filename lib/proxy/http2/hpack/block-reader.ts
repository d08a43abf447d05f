/**
 * Reads what a block of header fields is made of: numbers and strings (RFC 7541 §5). PURE.
 */
import { CompressionError } from './compression-error.js';
import { decodeHuffman, maxDecodedBytes } from './huffman-decoder.js';

const EMPTY = Buffer.alloc(0);
/**
 * So many octets may follow the first one of a number: with them it goes to 2^28, and no block, table or string is as large. More
 * are refused also where they are zeros.
 */
const MAX_CONTINUATION_BYTES = 4;
/** Strings that are longer get a buffer of their own. */
const SCRATCH_BYTES = 16_384;
const scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

export class BlockReader {
  #bytes: Buffer = EMPTY;
  #at = 0;
  #end = 0;
  #stringBytes = 0;

  begin(bytes: Buffer, start: number, end: number): void {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** Lets go of the block. */
  finish(): void {
    this.#bytes = EMPTY;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#end;
  }

  /** How many octets the string has that was read last. */
  get stringBytes(): number {
    return this.#stringBytes;
  }

  /** @throws CompressionError the block has ended. */
  readOctet(): number {
    if (this.#at >= this.#end) throw new CompressionError('a header block is cut off');
    return this.#bytes[this.#at++] ?? 0;
  }

  /**
   * Reads a number (§5.1).
   *
   * @param prefix its first octet, without the bits that are not the number's.
   * @param most the number that is all ones in the prefix.
   * @throws CompressionError
   */
  readInteger(prefix: number, most: number): number {
    if (prefix < most) return prefix;
    let value = most;
    for (let i = 0; i < MAX_CONTINUATION_BYTES; i += 1) {
      const octet = this.readOctet();
      value += (octet & 0x7f) << (7 * i);
      if (octet < 0x80) return value;
    }
    throw new CompressionError('a number in a header block is too large');
  }

  /**
   * Reads a string (§5.2), one character for each octet.
   *
   * @param isWanted otherwise it is checked all the same, `stringBytes` is set, and '' is returned.
   * @throws CompressionError
   */
  readString(isWanted: boolean): string {
    const first = this.readOctet();
    const length = this.readInteger(first & 0x7f, 0x7f);
    const start = this.#at;
    const end = start + length;
    if (end > this.#end) throw new CompressionError('a header block is cut off');
    this.#at = end;
    if (first < 0x80) {
      this.#stringBytes = length;
      return isWanted ? this.#bytes.toString('latin1', start, end) : '';
    }
    const room = maxDecodedBytes(length);
    const target = room <= SCRATCH_BYTES ? scratch : Buffer.allocUnsafe(room);
    const decoded = decodeHuffman(this.#bytes, start, end, target);
    if (decoded === -1) throw new CompressionError('a Huffman code in a header block is malformed');
    this.#stringBytes = decoded;
    return isWanted ? target.toString('latin1', 0, decoded) : '';
  }
}
