/**
 * The configuration file: a flat map of flags in YAML, of which JSON is a part. PURE: the text comes in.
 *
 * Errors are usage errors that begin with `FILE:LINE:COLUMN:`.
 */
import type { Node, Pair } from 'yaml';
import { usageError } from '../domain/errors.js';
import { yaml } from '../libraries.js';
import { findFlag, flag, type FlagName } from './defaults.js';

/** The values of one flag in the file, as text, and where they stand. */
export interface FileEntry {
  readonly values: readonly string[];
  /** `FILE:LINE:COLUMN: flag`, which an error's sentence begins with. */
  readonly label: string;
}

/**
 * Reads the flags out of a configuration file.
 *
 * @param file its name, for the messages.
 * @throws ProxyError ERR_USAGE: not YAML, unknown key, a key twice, a value that is neither text, number, boolean nor (where
 *   the flag may be repeated) a list of them.
 */
export function parseConfigFile(text: string, file: string): Map<FlagName, FileEntry> {
  const { isMap, isScalar, LineCounter, parseDocument } = yaml();
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'silent' });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}:`;
  };
  const broken = document.errors[0];
  if (broken !== undefined) {
    // The parser's own message may quote the text, and with it a password.
    const what = broken.code.toLowerCase().replaceAll('_', ' ');
    throw usageError(`${at(broken.pos[0])} this is neither YAML nor JSON (${what})`);
  }
  const entries = new Map<FlagName, FileEntry>();
  const top: unknown = document.contents;
  if (top === null || (isScalar(top) && top.value === null)) return entries;
  if (!isMap<Node, Node | null>(top)) {
    throw usageError(`${file}: the file must be a map of flags, such as "workers: 2"`);
  }
  for (const pair of top.items) {
    const place = at(pair.key.range?.[0] ?? 0);
    const key = isScalar(pair.key) ? String(pair.key.value) : '';
    const name = findFlag(key);
    if (name === undefined) throw usageError(`${place} unknown key ${JSON.stringify(key)}`);
    if (name === 'config') throw usageError(`${place} config cannot be set in a configuration file`);
    if (entries.has(name)) throw usageError(`${place} ${name} is set a second time`);
    entries.set(name, { values: valuesOf(pair, name, `${place} ${name}`), label: `${place} ${name}` });
  }
  return entries;
}

function valuesOf(pair: Pair<Node, Node | null>, name: FlagName, label: string): string[] {
  if (!yaml().isSeq<Node>(pair.value)) return [scalarText(pair.value, label)];
  if (flag(name).repeatable !== true) throw usageError(`${label} takes one value, not a list`);
  return pair.value.items.map((item) => scalarText(item, label));
}

function scalarText(node: Node | null, label: string): string {
  const value: unknown = yaml().isScalar(node) ? node.value : undefined;
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw usageError(`${label} needs a value: text, a number, true or false`);
}
