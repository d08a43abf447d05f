/**
 * The certificates of a directory by the names in them, and what has changed from one reading to the next. PURE.
 */
import type { ServerName } from '../../domain/server-name.js';
import type { CertificateFacts } from './certificate.js';
import { isSame, type Entry } from './entry.js';
import type { ChangedNames } from '../source.js';

/** An entry that has a certificate. */
export type Leaf = Entry & { readonly certificate: CertificateFacts };

/** What is known of a name. */
export interface Named {
  /** The newest first. */
  readonly leaves: Leaf[];
  /** Why a certificate of this name cannot be used. */
  trouble?: string;
}

export interface DirectoryIndex {
  readonly names: ReadonlyMap<ServerName, Named>;
  /** An entry of which nobody knows the names: what is wrong with it. Any name that is not known may be its. */
  readonly unknown: string | undefined;
}

/** Above this many names that have changed, everything is looked up afresh: that is cheaper than to go through the caches. */
const MAX_CHANGED_NAMES = 1_000;

export function indexOf(entries: ReadonlyMap<string, Entry>, unknown: string | undefined): DirectoryIndex {
  const names = new Map<ServerName, Named>();
  let lost = unknown;
  const namedOf = (name: ServerName): Named => {
    let named = names.get(name);
    if (named === undefined) names.set(name, (named = { leaves: [] }));
    return named;
  };
  // By path, so that of two equally new certificates always the same one is used.
  for (const [, entry] of [...entries].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const { trouble } = entry;
    if (isLeaf(entry)) for (const name of entry.certificate.names) namedOf(name).leaves.push(entry);
    if (trouble === undefined) continue;
    if (trouble.names === undefined) lost ??= trouble.reason;
    else for (const name of trouble.names) namedOf(name).trouble = trouble.reason;
  }
  for (const { leaves } of names.values()) {
    if (leaves.length > 1) leaves.sort(({ certificate: a }, { certificate: b }) => compareNewest(a, b));
  }
  return { names, unknown: lost };
}

/** The names whose look-ups may have another answer now; undefined: any name's may. */
export function changedNames(
  before: { readonly entries: ReadonlyMap<string, Entry>; readonly unknown: string | undefined },
  after: { readonly entries: ReadonlyMap<string, Entry>; readonly unknown: string | undefined },
): ChangedNames {
  if (before.unknown !== undefined && after.unknown === undefined) return undefined;
  const changed = new Set<ServerName>();
  const add = (entry: Entry | undefined): void => {
    for (const name of entry?.certificate?.names ?? []) changed.add(name);
    for (const name of entry?.trouble?.names ?? []) changed.add(name);
  };
  for (const [id, entry] of after.entries) {
    const earlier = before.entries.get(id);
    if (earlier !== undefined && isSame(earlier, entry)) continue;
    add(earlier);
    add(entry);
  }
  for (const [id, entry] of before.entries) if (!after.entries.has(id)) add(entry);
  return changed.size > MAX_CHANGED_NAMES ? undefined : [...changed];
}

/**
 * The entries to hand over for a name, best first, each group together.
 *
 *  1. The newest valid certificates with the name itself: of an ECDSA and an RSA one both. Then its other valid ones.
 *  2. The same with the wildcard above it.
 */
export function validGroups(named: readonly Named[], nowMs: number, limit: number): Leaf[][] {
  const groups = named.flatMap(({ leaves }) => {
    const newest = newestOfEach(leaves, nowMs);
    const others = leaves.filter((leaf) => isValidAt(leaf, nowMs) && !newest.includes(leaf));
    return [newest, ...others.map((leaf) => [leaf])];
  });
  return groups.filter(({ length }) => length > 0).slice(0, limit);
}

/** Of certificates, the newest first, the newest valid ECDSA one and the newest valid RSA one: what is served. */
export function newestOfEach(leaves: readonly Leaf[], nowMs: number): Leaf[] {
  const valid = leaves.filter((leaf) => isValidAt(leaf, nowMs));
  return [false, true].flatMap((isRsa) => valid.find(({ certificate }) => certificate.isRsa === isRsa) ?? []);
}

export function isValidAt({ certificate: { notBeforeMs, notAfterMs } }: Leaf, nowMs: number): boolean {
  return notBeforeMs <= nowMs && nowMs < notAfterMs;
}

/** Those that are not valid now, the one that lapses or lapsed last first: for want of a better one. */
export function lapsedFirst({ leaves }: Named): Leaf[] {
  return [...leaves].sort((a, b) => b.certificate.notAfterMs - a.certificate.notAfterMs);
}

/** The entries that have a certificate, each once. */
export function leavesOf({ names }: DirectoryIndex): Set<Leaf> {
  const leaves = new Set<Leaf>();
  for (const named of names.values()) for (const leaf of named.leaves) leaves.add(leaf);
  return leaves;
}

function isLeaf(entry: Entry): entry is Leaf {
  return entry.certificate !== undefined;
}

function compareNewest(a: CertificateFacts, b: CertificateFacts): number {
  return b.notBeforeMs - a.notBeforeMs || b.notAfterMs - a.notAfterMs;
}
