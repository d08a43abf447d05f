/**
 * One reading of a certificate directory: its folders, and the certificates in them.
 */
import { forEachBounded, type DirectoryFiles } from './files.js';
import { idOf, pathsOf, readEntry, type Entry, type EntryContext, type EntryPaths } from './entry.js';
import { CONCURRENT_LOOKS, walk, type Folder, type WalkContext } from './walk.js';

export interface Reading {
  readonly folders: ReadonlyMap<string, Folder>;
  /** By their ids. */
  readonly entries: ReadonlyMap<string, Entry>;
  /** Folders that could not be looked into, with the reason: what was known of them is as it was. */
  readonly unreadable: ReadonlyMap<string, string>;
  /** One of them, or the directory itself, of which nobody knows the names: the reason. */
  readonly unknown: string | undefined;
}

export interface ReadingContext {
  readonly root: string;
  readonly files: DirectoryFiles;
  /** The time, milliseconds since 1970. */
  readonly now: () => number;
  /** So many of the certificates that have changed are read with their keys. */
  readonly maxKeysChecked: number;
  /** The good pair of this version, where it is in memory. */
  readonly pairOf: EntryContext['pairOf'];
  readonly keep: EntryContext['keep'];
  /** For a first reading. */
  readonly remembered?: Remembered | undefined;
}

/** What an earlier run has read: of folders and certificates that have the same stamps still. */
export interface Remembered {
  readonly folder: NonNullable<WalkContext['remembered']>;
  readonly entry: NonNullable<EntryContext['remembered']>;
}

export const NOTHING_READ: Reading = {
  folders: new Map(),
  entries: new Map(),
  unreadable: new Map(),
  unknown: undefined,
};

/** Never rejects. */
export async function readDirectory(before: Reading, context: ReadingContext): Promise<Reading> {
  const { root, files, now, pairOf, keep, remembered } = context;
  const { folders, unreadable, frozen } = await walk(root, before.folders, {
    files,
    now,
    remembered: remembered?.folder,
  });
  let keysLeft = context.maxKeysChecked;
  const entryContext = {
    files,
    now,
    isKeyWanted: () => keysLeft-- > 0,
    pairOf,
    keep,
    remembered: remembered?.entry,
  };
  const entries = new Map<string, Entry>();
  await forEachBounded(allPaths(folders), CONCURRENT_LOOKS, async (paths) => {
    const id = idOf(paths);
    const earlier = before.entries.get(id);
    const entry = frozen.has(paths.folder) ? earlier : await readEntry(paths, earlier, entryContext);
    if (entry !== undefined) entries.set(id, entry);
  });
  const known = [...folders.values()].filter(({ pairs }) => pairs.length > 0);
  const lost = [...unreadable].find(
    ([path]) =>
      path === root || !known.some((folder) => folder.path === path || folder.path.startsWith(`${path}/`)),
  );
  return { folders, entries, unreadable, unknown: lost?.[1] };
}

function* allPaths(folders: ReadonlyMap<string, Folder>): Generator<EntryPaths> {
  for (const { path, pairs } of folders.values()) for (const pair of pairs) yield pathsOf(path, pair);
}
