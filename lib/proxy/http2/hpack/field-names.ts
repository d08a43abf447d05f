/**
 * What the encoder needs to know of a field's name, remembered for each spelling: the same few come with every message. PURE.
 */
import { indexingOf, type Indexing } from './indexing.js';
import { ownCopy } from './own-copy.js';
import { STATIC_ENTRIES, STATIC_NAMES, STATIC_VALUES } from './static-table.js';
import { maxStringBytes, writeString } from './string-writer.js';

export interface FieldName {
  /** In lower case, as HTTP/2 has it (RFC 9113 §8.2.1). */
  readonly text: string;
  /** The first of its entries in the static table; 0: it has none. */
  readonly staticIndex: number;
  /** What these entries have for values. */
  readonly staticValues: readonly string[];
  readonly indexing: Indexing;
  /** As a literal, with its length, and Huffman's code where that is not longer. */
  readonly literal: Buffer;
}

/** Backends may send any number of names: when so many are known, all but those of the static table are forgotten. */
const MAX_KNOWN_NAMES = 1_024;
const MAX_KNOWN_LENGTH = 64;

const inStaticTable = new Map<string, FieldName>();
for (const name of STATIC_NAMES.slice(1)) inStaticTable.set(name, fieldNameOf(name));
let known = new Map(inStaticTable);

/** @param spelling in either case. */
export function knownName(spelling: string): FieldName {
  const found = known.get(spelling);
  if (found !== undefined) return found;
  const own = ownCopy(spelling);
  const text = own.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
  const made = inStaticTable.get(text) ?? fieldNameOf(text);
  if (known.size >= MAX_KNOWN_NAMES) known = new Map(inStaticTable);
  if (own.length <= MAX_KNOWN_LENGTH) known.set(own, made);
  return made;
}

function fieldNameOf(text: string): FieldName {
  const first = text === '' ? -1 : STATIC_NAMES.indexOf(text);
  const staticValues: string[] = [];
  for (let index = first; index > 0 && index <= STATIC_ENTRIES && STATIC_NAMES[index] === text; index += 1) {
    staticValues.push(STATIC_VALUES[index] ?? '');
  }
  const literal = Buffer.allocUnsafeSlow(maxStringBytes(text.length));
  const end = writeString(text, true, literal, 0);
  return {
    text,
    staticIndex: Math.max(0, first),
    staticValues,
    indexing: indexingOf(text),
    literal: literal.subarray(0, end),
  };
}
