/**
 * The encoder's dynamic table: it finds what may be named by index. PURE.
 */
import { DynamicTable, ENTRY_OVERHEAD_BYTES } from './dynamic-table.js';
import { ownCopy } from '../../../base/own-copy.js';
import { STATIC_ENTRIES } from './static-table.js';

const NONE = -1;

export class EncoderTable {
  /** With each entry is noted the position of the one before it that has the same name. */
  readonly #table: DynamicTable;
  /** The positions of the newest entries by their names. */
  readonly #newest = new Map<string, number>();

  /** @param maxBytes as RFC 7541 §4.1 counts. */
  constructor(maxBytes: number) {
    this.#table = new DynamicTable(maxBytes);
  }

  get maxBytes(): number {
    return this.#table.maxBytes;
  }

  get bytes(): number {
    return this.#table.bytes;
  }

  /** The index of an entry with this name; 0: there is none. */
  findName(name: string): number {
    const position = this.#newest.get(name);
    return position === undefined ? 0 : this.#index(position);
  }

  /** The index of the entry that is this field; 0: there is none. */
  find(name: string, value: string): number {
    const table = this.#table;
    let position = this.#newest.get(name) ?? NONE;
    // What was noted may be evicted meanwhile.
    while (position >= table.oldest) {
      if (table.valueAt(position) === value) return this.#index(position);
      position = table.noteAt(position);
    }
    return 0;
  }

  /** Adds an entry as the decoder of the other side does. */
  add(name: string, value: string): void {
    const bytes = name.length + value.length + ENTRY_OVERHEAD_BYTES;
    this.#evictTo(this.#table.maxBytes - bytes);
    if (bytes > this.#table.maxBytes) return;
    const position = this.#table.end;
    this.#table.add(name, ownCopy(value), this.#newest.get(name) ?? NONE);
    this.#newest.set(name, position);
  }

  resize(maxBytes: number): void {
    this.#evictTo(maxBytes);
    this.#table.resize(maxBytes);
  }

  #evictTo(bytes: number): void {
    const table = this.#table;
    while (table.bytes > bytes && table.oldest < table.end) {
      const name = table.nameAt(table.oldest);
      if (this.#newest.get(name) === table.oldest) this.#newest.delete(name);
      table.evictOldest();
    }
  }

  /** RFC 7541 §2.3.3. */
  #index(position: number): number {
    return STATIC_ENTRIES + this.#table.end - position;
  }
}
