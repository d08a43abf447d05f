/**
 * Decodes the header blocks of one direction of a connection (RFC 7541). PURE.
 *
 * It knows nothing of what may stand in a field: a field that is refused enters the table like any other, and a later block may
 * name it by its index. So every block must be decoded, also that of a stream that is refused or reset (RFC 9113 §4.3), and
 * every field be checked, also where it comes by index.
 */
import { BlockReader } from './block-reader.js';
import { CompressionError } from './compression-error.js';
import { DynamicTable, ENTRY_OVERHEAD_BYTES, INITIAL_TABLE_BYTES } from './dynamic-table.js';
import { STATIC_ENTRIES, STATIC_NAMES, STATIC_VALUES } from './static-table.js';

/** The first bits of a representation (RFC 7541 §6). */
const INDEXED = 0x80;
const LITERAL_ADDED = 0x40;
const TABLE_SIZE = 0x20;
const LITERAL_NEVER_INDEXED = 0x10;

const NO_NAMES: readonly string[] = [];

/** A block is decoded in one step, so one reader serves all connections. */
const reader = new BlockReader();

/** What a block has held. */
export interface DecodedBlock {
  /** Flat: `[name, value, …]`, a character for each octet (latin1); where the list is too long, only its beginning. */
  readonly fields: readonly string[];
  /** The list is larger than `maxListBytes`. */
  readonly isOverLimit: boolean;
  /** Of all fields, also those that are not in `fields`. */
  readonly fieldCount: number;
  /** Of all fields, as SETTINGS_MAX_HEADER_LIST_SIZE counts them: their octets, and 32 for each (RFC 9113 §6.5.2). */
  readonly listBytes: number;
  /** Fields whose name is empty: no client means any, and they cost it an octet. */
  readonly emptyNames: number;
  /** Of fields that must be passed on as literals that are never indexed (RFC 7541 §6.2.3); of those in `fields`. */
  readonly neverIndexedNames: readonly string[];
}

export interface HpackDecoderOptions {
  /** Above it fields are dropped, as `DecodedBlock.listBytes` counts. */
  readonly maxListBytes: number;
  /**
   * The SETTINGS_HEADER_TABLE_SIZE that is in force when the first block comes. One that we send is in force only once the other side
   * has acknowledged it: `changeMaxTableBytes`.
   *
   * @default 4096
   */
  readonly maxTableBytes?: number;
}

export class HpackDecoder {
  readonly #maxListBytes: number;
  readonly #table: DynamicTable;
  #maxTableBytes: number;
  /** The next block must begin with a size up to this, for we have allowed less than the other side uses (§4.2). */
  #requiredSize: number | undefined;
  #isBroken = false;

  constructor({ maxListBytes, maxTableBytes = INITIAL_TABLE_BYTES }: HpackDecoderOptions) {
    this.#maxListBytes = maxListBytes;
    this.#maxTableBytes = maxTableBytes;
    this.#table = new DynamicTable(Math.min(INITIAL_TABLE_BYTES, maxTableBytes));
  }

  /** The size of the dynamic table (§4.1). */
  get tableBytes(): number {
    return this.#table.bytes;
  }

  /** The other side has acknowledged another SETTINGS_HEADER_TABLE_SIZE of ours. */
  changeMaxTableBytes(bytes: number): void {
    this.#maxTableBytes = bytes;
    if (bytes >= this.#table.maxBytes) return;
    this.#requiredSize = bytes;
    this.#table.resize(bytes);
  }

  /**
   * Decodes a block: the fragments of a HEADERS frame and of the CONTINUATION frames behind it, joined.
   *
   * @param block not kept.
   * @throws CompressionError; whenever it has thrown, it throws for each block that follows.
   */
  decode(block: Buffer, start = 0, end = block.length): DecodedBlock {
    if (this.#isBroken) throw new CompressionError('an earlier header block was malformed');
    this.#isBroken = true;
    reader.begin(block, start, end);
    const decoded = this.#readFields(this.#readSizes());
    reader.finish();
    this.#isBroken = false;
    return decoded;
  }

  /** Reads the sizes that a block may begin with. @returns the octet behind them; -1: there is none. */
  #readSizes(): number {
    while (!reader.isAtEnd) {
      const first = reader.readOctet();
      if (first >= LITERAL_ADDED || first < TABLE_SIZE) {
        this.#refuseMissingSize();
        return first;
      }
      const bytes = reader.readInteger(first & 0x1f, 0x1f);
      if (bytes > (this.#requiredSize ?? this.#maxTableBytes)) {
        throw new CompressionError('a header block sets a table size above our limit');
      }
      this.#requiredSize = undefined;
      this.#table.resize(bytes);
    }
    this.#refuseMissingSize();
    return -1;
  }

  #refuseMissingSize(): void {
    if (this.#requiredSize !== undefined) {
      throw new CompressionError(
        'a header block does not begin with the table size that our limit calls for',
      );
    }
  }

  /** @param firstOctet of the first field; -1: there is none. */
  #readFields(firstOctet: number): DecodedBlock {
    const fields: string[] = [];
    let neverIndexedNames: string[] | undefined;
    let fieldCount = 0;
    let listBytes = 0;
    let emptyNames = 0;
    let isOverLimit = false;
    for (let first = firstOctet; first !== -1; first = reader.isAtEnd ? -1 : reader.readOctet()) {
      let name: string;
      let value: string;
      let octets: number;
      let nameOctets: number;
      if (first >= INDEXED) {
        const index = reader.readInteger(first & 0x7f, 0x7f);
        name = this.#nameAt(index);
        value =
          index <= STATIC_ENTRIES ? (STATIC_VALUES[index] ?? '') : this.#table.valueAt(this.#position(index));
        nameOctets = name.length;
        octets = nameOctets + value.length;
      } else {
        const isAdded = first >= LITERAL_ADDED;
        if (!isAdded && first >= TABLE_SIZE) throw new CompressionError('a table size behind a header field');
        const most = isAdded ? 0x3f : 0x0f;
        const index = reader.readInteger(first & most, most);
        // Of a list that is too long, what the table does not need is not even made.
        const isWanted = isAdded || !isOverLimit;
        name = index === 0 ? reader.readString(isWanted) : this.#nameAt(index);
        nameOctets = index === 0 ? reader.stringBytes : name.length;
        value = reader.readString(isWanted);
        octets = nameOctets + reader.stringBytes;
        if (isAdded) this.#table.add(name, value);
      }
      fieldCount += 1;
      if (nameOctets === 0) emptyNames += 1;
      listBytes += octets + ENTRY_OVERHEAD_BYTES;
      isOverLimit = listBytes > this.#maxListBytes;
      if (isOverLimit) continue;
      fields.push(name, value);
      if (first >= LITERAL_NEVER_INDEXED && first < TABLE_SIZE) (neverIndexedNames ??= []).push(name);
    }
    return {
      fields,
      isOverLimit,
      fieldCount,
      listBytes,
      emptyNames,
      neverIndexedNames: neverIndexedNames ?? NO_NAMES,
    };
  }

  /** §2.3.3. */
  #nameAt(index: number): string {
    if (index > STATIC_ENTRIES) return this.#table.nameAt(this.#position(index));
    if (index === 0) throw new CompressionError('a header block names entry 0');
    return STATIC_NAMES[index] ?? '';
  }

  /** Of an index of the dynamic table. */
  #position(index: number): number {
    const position = this.#table.end - (index - STATIC_ENTRIES);
    if (position < this.#table.oldest)
      throw new CompressionError('a header block names an entry that is not there');
    return position;
  }
}
