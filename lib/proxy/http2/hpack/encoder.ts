/**
 * Encodes the header blocks of one direction of a connection (RFC 7541). PURE.
 *
 * Blocks must be sent in the order in which they were encoded, and every one of them.
 */
import { ENTRY_OVERHEAD_BYTES, INITIAL_TABLE_BYTES } from './dynamic-table.js';
import { EncoderTable } from './encoder-table.js';
import { knownName, type FieldName } from './field-names.js';
import type { Indexing } from './indexing.js';
import { MAX_INTEGER_BYTES, writeInteger } from './integer-writer.js';
import { maxStringBytes, writeString } from './string-writer.js';

/** The first bits of a representation, and how many bits are left for its index (§6). */
const INDEXED = 0x80;
const INDEXED_PREFIX = 7;
const TABLE_SIZE = 0x20;
const TABLE_SIZE_PREFIX = 5;
const LITERALS: Readonly<Record<Indexing, { readonly flags: number; readonly prefixBits: number }>> = {
  added: { flags: 0x40, prefixBits: 6 },
  'not added': { flags: 0, prefixBits: 4 },
  'never indexed': { flags: 0x10, prefixBits: 4 },
};

/** A field that takes more than this part of the table is not added: it would push out nearly all the others. */
const MAX_PART_OF_TABLE = 0.75;

export interface HpackEncoderOptions {
  /**
   * The largest dynamic table that we keep, however large the other side allows it to be (§4.1).
   *
   * @default 4096
   */
  readonly maxTableBytes?: number;
  /** Strings are shortened where that does not make them longer. @default true */
  readonly usesHuffman?: boolean;
  /** By names in lower case, before what `indexing.ts` says of them. */
  readonly indexing?: ReadonlyMap<string, Indexing>;
}

export class HpackEncoder {
  readonly #ownMaxBytes: number;
  readonly #usesHuffman: boolean;
  readonly #indexing: ReadonlyMap<string, Indexing> | undefined;
  readonly #table = new EncoderTable(INITIAL_TABLE_BYTES);
  /** The size that the table gets with the next block. */
  #nextMaxBytes: number;
  /** The smallest that it should have had since the last block: the other side has to hear of it too (§4.2). */
  #leastMaxBytes: number;

  constructor({
    maxTableBytes = INITIAL_TABLE_BYTES,
    usesHuffman = true,
    indexing,
  }: HpackEncoderOptions = {}) {
    this.#ownMaxBytes = maxTableBytes;
    this.#usesHuffman = usesHuffman;
    this.#indexing = indexing;
    this.#nextMaxBytes = Math.min(INITIAL_TABLE_BYTES, maxTableBytes);
    this.#leastMaxBytes = this.#nextMaxBytes;
  }

  /** The size of the dynamic table (§4.1). */
  get tableBytes(): number {
    return this.#table.bytes;
  }

  /** The other side has sent a SETTINGS_HEADER_TABLE_SIZE. The next block says what we make of it. */
  changePeerMaxTableBytes(bytes: number): void {
    this.#nextMaxBytes = Math.min(bytes, this.#ownMaxBytes);
    this.#leastMaxBytes = Math.min(this.#leastMaxBytes, this.#nextMaxBytes);
  }

  /**
   * Encodes a list of fields.
   *
   * @param fields flat: `[name, value, …]`, a character for each octet (latin1); pseudo-header fields first. Names are sent in lower case.
   * @param neverIndexedNames in lower case: what came never indexed goes on so (§6.2.3).
   */
  encode(fields: readonly string[], neverIndexedNames?: readonly string[]): Buffer {
    const target = Buffer.allocUnsafe(maxBlockBytes(fields));
    let at = this.#writeSizes(target);
    for (let i = 0; i + 1 < fields.length; i += 2) {
      const name = knownName(fields[i] ?? '');
      const value = fields[i + 1] ?? '';
      const isSecret = neverIndexedNames?.includes(name.text) === true;
      const indexing = isSecret ? 'never indexed' : (this.#indexing?.get(name.text) ?? name.indexing);
      at = this.#writeField(name, value, indexing, target, at);
    }
    return target.subarray(0, at);
  }

  /** §4.2: the smallest size first, then the one that is in force. */
  #writeSizes(target: Buffer): number {
    const next = this.#nextMaxBytes;
    const least = this.#leastMaxBytes;
    let at = 0;
    if (least < this.#table.maxBytes && least < next) {
      at = writeInteger(least, TABLE_SIZE_PREFIX, TABLE_SIZE, target, at);
      this.#table.resize(least);
    }
    if (next !== this.#table.maxBytes) {
      at = writeInteger(next, TABLE_SIZE_PREFIX, TABLE_SIZE, target, at);
      this.#table.resize(next);
    }
    this.#leastMaxBytes = next;
    return at;
  }

  #writeField(name: FieldName, value: string, indexing: Indexing, target: Buffer, start: number): number {
    if (indexing !== 'never indexed') {
      const staticAt = name.staticValues.indexOf(value);
      if (staticAt !== -1) {
        target[start] = INDEXED | (name.staticIndex + staticAt);
        return start + 1;
      }
    }
    const table = this.#table;
    let representation = indexing;
    if (indexing === 'added') {
      const index = table.find(name.text, value);
      if (index !== 0) return writeInteger(index, INDEXED_PREFIX, INDEXED, target, start);
      const bytes = name.text.length + value.length + ENTRY_OVERHEAD_BYTES;
      if (bytes > table.maxBytes * MAX_PART_OF_TABLE) representation = 'not added';
    }
    const { flags, prefixBits } = LITERALS[representation];
    const nameIndex = name.staticIndex !== 0 ? name.staticIndex : table.findName(name.text);
    let at = writeInteger(nameIndex, prefixBits, flags, target, start);
    if (nameIndex === 0) at = this.#writeName(name, target, at);
    at = writeString(value, this.#usesHuffman, target, at);
    if (representation === 'added') table.add(name.text, value);
    return at;
  }

  #writeName(name: FieldName, target: Buffer, start: number): number {
    if (!this.#usesHuffman) return writeString(name.text, false, target, start);
    target.set(name.literal, start);
    return start + name.literal.length;
  }
}

/** The most octets that a block may have. */
function maxBlockBytes(fields: readonly string[]): number {
  let bytes = 2 * MAX_INTEGER_BYTES;
  for (const text of fields) bytes += maxStringBytes(text.length);
  return bytes + (fields.length / 2) * MAX_INTEGER_BYTES;
}
