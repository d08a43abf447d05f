/**
 * The fields that one side has sent and may name again by index (RFC 7541 §2.3.2, §4). PURE.
 *
 * A ring that grows as it is filled: an idle connection pays for nothing. Every entry has a position, counted from the first that
 * the connection has ever added; so a position stays what it was when others are added.
 */

/** SETTINGS_HEADER_TABLE_SIZE, before either side has sent another (RFC 9113 §6.5.2). */
export const INITIAL_TABLE_BYTES = 4_096;
/** What each entry costs beside its octets (§4.1). */
export const ENTRY_OVERHEAD_BYTES = 32;
const FIRST_CAPACITY = 16;

export class DynamicTable {
  #maxBytes: number;
  #bytes = 0;
  #names: string[] = [];
  #values: string[] = [];
  #notes: number[] = [];
  /** The capacity of the ring, a power of two, less one. */
  #mask = -1;
  #oldest = 0;
  #end = 0;

  /** @param maxBytes its size as §4.1 counts it. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get maxBytes(): number {
    return this.#maxBytes;
  }

  /** As §4.1 counts them. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The position of the oldest entry; `end` where there is none. */
  get oldest(): number {
    return this.#oldest;
  }

  /** The position that the next entry will have. */
  get end(): number {
    return this.#end;
  }

  /** @param position of an entry that is there. */
  nameAt(position: number): string {
    return this.#names[position & this.#mask] ?? '';
  }

  /** @param position of an entry that is there. */
  valueAt(position: number): string {
    return this.#values[position & this.#mask] ?? '';
  }

  /** What its owner has noted with the entry. @param position of an entry that is there. */
  noteAt(position: number): number {
    return this.#notes[position & this.#mask] ?? 0;
  }

  /**
   * Adds an entry, and evicts the oldest until there is room. One that is larger than the table empties it, and is not added
   * (§4.4).
   *
   * @param name a character for each octet, as `value`.
   */
  add(name: string, value: string, note = 0): void {
    const bytes = name.length + value.length + ENTRY_OVERHEAD_BYTES;
    while (this.#bytes + bytes > this.#maxBytes) {
      if (this.#oldest === this.#end) return;
      this.evictOldest();
    }
    if (this.#end - this.#oldest > this.#mask) this.#grow();
    const slot = this.#end & this.#mask;
    this.#names[slot] = name;
    this.#values[slot] = value;
    this.#notes[slot] = note;
    this.#end += 1;
    this.#bytes += bytes;
  }

  /** There must be one. */
  evictOldest(): void {
    const slot = this.#oldest & this.#mask;
    this.#bytes -= this.nameAt(slot).length + this.valueAt(slot).length + ENTRY_OVERHEAD_BYTES;
    // The strings must not stay in memory for it.
    this.#names[slot] = '';
    this.#values[slot] = '';
    this.#oldest += 1;
  }

  /** Evicts what no longer fits (§4.3). */
  resize(maxBytes: number): void {
    this.#maxBytes = maxBytes;
    while (this.#bytes > maxBytes) this.evictOldest();
  }

  #grow(): void {
    const capacity = Math.max(FIRST_CAPACITY, 2 * (this.#mask + 1));
    const names = new Array<string>(capacity).fill('');
    const values = new Array<string>(capacity).fill('');
    const notes = new Array<number>(capacity).fill(0);
    for (let position = this.#oldest; position < this.#end; position += 1) {
      const slot = position & (capacity - 1);
      names[slot] = this.nameAt(position);
      values[slot] = this.valueAt(position);
      notes[slot] = this.noteAt(position);
    }
    this.#names = names;
    this.#values = values;
    this.#notes = notes;
    this.#mask = capacity - 1;
  }
}
