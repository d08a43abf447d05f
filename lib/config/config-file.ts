/**
 * The configuration file: a flat map of flags in YAML, of which JSON is a part. PURE: the text comes in.
 *
 * Only `listen` may have maps for values, of listeners with default certificates of their own:
 * `- {address: "[::]:443", default-cert: FILE, default-key: FILE}`; each of the two one file or a list.
 *
 * Errors are usage errors that begin with `FILE:LINE:COLUMN:`.
 */
import type { Node, Pair, YAMLMap } from 'yaml';
import { usageError } from '../domain/errors.js';
import { yaml } from '../base/lazy-imports.js';
import { didYouMean } from '../base/nearest.js';
import { findFlag, flag, FLAG_NAMES, type FlagName } from './flags.js';

/** `config` is none of them: a file cannot name another one. */
const KEYS = FLAG_NAMES.filter((name) => name !== 'config');
const LISTENER_KEYS = ['address', 'default-cert', 'default-key'] as const;

/** The values of one flag in the file, as text, and where they stand. */
export interface FileEntry {
  readonly values: readonly string[];
  /** `FILE:LINE:COLUMN: flag`, which an error's sentence begins with. */
  readonly label: string;
  /** Of `listen` only, where a value was a map: the files beside each value. */
  readonly pairs?: readonly (PairFiles | undefined)[];
}

/** The files of default certificates, and what a sentence about them begins with. */
export interface PairFiles {
  readonly certs: readonly string[];
  readonly keys: readonly string[];
  /** `--default-cert`, `FILE:LINE:COLUMN: default-cert`. */
  readonly certLabel: string;
  readonly keyLabel: string;
  /** What stands before a flag's name in the middle of a sentence: `--`, or nothing. */
  readonly dashes: string;
}

/**
 * Reads the flags out of a configuration file.
 *
 * @param file its name, for the messages.
 * @throws ProxyError ERR_USAGE: nothing in it (`{}` is something), not YAML, more than one document, unknown key, a key twice, a value that is neither text, number, boolean nor (where
 *   the flag may be repeated) a list of them; of `listen`, a map without an address or with other keys.
 */
export function parseConfigFile(text: string, file: string): Map<FlagName, FileEntry> {
  const { isMap, isScalar, LineCounter, parseDocument } = yaml();
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}:`;
  };
  const broken = document.errors[0];
  if (broken?.code === 'MULTIPLE_DOCS') {
    throw usageError(
      `${at(broken.pos[0])} a second YAML document begins here, and a file is one map of flags`,
    );
  }
  if (broken !== undefined) {
    // The parser's own message may quote the text, and with it a password.
    throw usageError(`${at(broken.pos[0])} this is neither YAML nor JSON (${wordsOf(broken.code)})`);
  }
  const [odd] = document.warnings;
  if (odd !== undefined)
    throw usageError(`${at(odd.pos[0])} this has no meaning here (${wordsOf(odd.code)})`);
  const entries = new Map<FlagName, FileEntry>();
  const top: unknown = document.contents;
  // A file that was cut off while it was written must not set every flag to its default.
  if (top === null || (isScalar(top) && top.value === null)) {
    throw usageError(`${file}: the file is empty: write {} into it if no flag is to be set`);
  }
  if (!isMap<Node, Node | null>(top)) {
    throw usageError(`${file}: the file must be a map of flags, such as "workers: 2"`);
  }
  for (const pair of top.items) {
    const place = at(pair.key.range?.[0] ?? 0);
    const key = isScalar(pair.key) ? String(pair.key.value) : '';
    const name = findFlag(key);
    if (name === undefined) {
      throw usageError(`${place} unknown key ${JSON.stringify(key)}${didYouMean(dashed(key), KEYS)}`);
    }
    if (name === 'config') throw usageError(`${place} config cannot be set in a configuration file`);
    if (entries.has(name)) throw usageError(`${place} ${name} is set a second time`);
    const label = `${place} ${name}`;
    entries.set(
      name,
      name === 'listen' ? listenEntry(pair, label, at) : { values: valuesOf(pair, name, label), label },
    );
  }
  return entries;
}

/** An error's code in words. */
const wordsOf = (code: string): string => code.toLowerCase().replaceAll('_', ' ');

type Place = (offset: number) => string;

function listenEntry(pair: Pair<Node, Node | null>, label: string, at: Place): FileEntry {
  const { isMap, isSeq } = yaml();
  const items = isSeq<Node>(pair.value) ? pair.value.items : [pair.value];
  if (!items.some((item) => isMap(item))) return { values: valuesOf(pair, 'listen', label), label };
  const listeners = items.map((item) =>
    isMap<Node, Node | null>(item) ? listener(item, at) : { address: scalarText(item, label) },
  );
  return {
    values: listeners.map(({ address }) => address),
    pairs: listeners.map(({ files }) => files),
    label,
  };
}

/** One listener that is a map. */
function listener(map: YAMLMap<Node, Node | null>, at: Place): { address: string; files?: PairFiles } {
  const place = at(map.range?.[0] ?? 0);
  const found = new Map<string, { readonly values: string[]; readonly label: string }>();
  for (const pair of map.items) {
    const spelled = yaml().isScalar(pair.key) ? String(pair.key.value) : '';
    const key = LISTENER_KEYS.find((known) => known === dashed(spelled));
    const keyPlace = at(pair.key.range?.[0] ?? 0);
    if (key === undefined) {
      const guess = didYouMean(dashed(spelled), LISTENER_KEYS);
      throw usageError(`${keyPlace} unknown key ${JSON.stringify(spelled)} of a listener${guess}`);
    }
    const label = `${keyPlace} ${key}`;
    if (found.has(key)) throw usageError(`${label} is set a second time`);
    const values = key === 'address' ? [scalarText(pair.value, label)] : valuesOf(pair, key, label);
    if (values.some((value) => value.trim() === '')) throw usageError(`${label} needs a value`);
    found.set(key, { values, label });
  }
  const address = found.get('address')?.values[0];
  if (address === undefined) throw usageError(`${place} listen needs an address beside the certificate`);
  const certs = found.get('default-cert');
  const keys = found.get('default-key');
  if (certs === undefined && keys === undefined) return { address };
  return {
    address,
    files: {
      certs: certs?.values ?? [],
      keys: keys?.values ?? [],
      certLabel: certs?.label ?? `${place} default-cert`,
      keyLabel: keys?.label ?? `${place} default-key`,
      dashes: '',
    },
  };
}

function valuesOf(pair: Pair<Node, Node | null>, name: FlagName, label: string): string[] {
  if (!yaml().isSeq<Node>(pair.value)) return [scalarText(pair.value, label)];
  if (flag(name).repeatable !== true) throw usageError(`${label} takes one value, not a list`);
  return pair.value.items.map((item) => scalarText(item, label));
}

function dashed(key: string): string {
  return key.replaceAll('_', '-');
}

function scalarText(node: Node | null, label: string): string {
  const value: unknown = yaml().isScalar(node) ? node.value : undefined;
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (yaml().isAlias(node)) {
    // `*.example.com` and `*:443` are what is meant as a rule, and no reference to another value.
    throw usageError(`${label} needs quotes around a value that begins with *`);
  }
  throw usageError(`${label} needs a value: text, a number, true or false`);
}
