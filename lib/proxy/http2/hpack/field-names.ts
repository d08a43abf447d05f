/**
 * What the encoder needs to know of a field's name, remembered for each spelling: the same few come with every message. PURE.
 */
import { Remembered } from '../../../base/remembered.js';
import { indexingOf, type Indexing } from './indexing.js';
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

/** Spellings that are remembered, of all connections. */
const MAX_KNOWN_NAMES = 1_024;

const inStaticTable = new Map<string, FieldName>();
for (const name of STATIC_NAMES.slice(1)) inStaticTable.set(name, fieldNameOf(name));
const KNOWN = new Remembered((spelling) => {
  const text = spelling.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
  return inStaticTable.get(text) ?? fieldNameOf(text);
}, MAX_KNOWN_NAMES);

/** @param spelling in either case. */
export function knownName(spelling: string): FieldName {
  return KNOWN.of(spelling);
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
