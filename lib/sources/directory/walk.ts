/**
 * The folders of a certificate directory: down to a few levels, links followed and each folder looked into once, hidden ones
 * and copies of earlier certificates left out. A folder whose stamp is the same is not listed again.
 */
import type { Dirent } from 'node:fs';
import { join } from 'node:path';
import { describeError } from '../../domain/errors.js';
import { forEachBounded, type DirectoryFiles } from './files.js';
import { isFileOfInterest, isFolderOfInterest, isHalf, recognise, type PairFiles } from './layouts.js';

export interface Folder {
  readonly path: string;
  readonly stamp: string;
  readonly isRacy: boolean;
  /** Which folder it is, whatever leads to it. */
  readonly identity: string;
  readonly device: bigint;
  readonly pairs: readonly PairFiles[];
  /** One of them is recognised only by what was there before. */
  readonly isInherited: boolean;
  /** What may be a folder within: folders, and links. */
  readonly below: readonly string[];
}

/** What is in a folder. */
export type Listing = Pick<Folder, 'pairs' | 'below'>;

export interface Walk {
  /** By path, those above before those below. */
  readonly folders: ReadonlyMap<string, Folder>;
  /** Folders that could not be looked into, with the reason. What was known of them and below is in `folders` as it was. */
  readonly unreadable: ReadonlyMap<string, string>;
  /** The paths of the folders that were not looked into because they, or one above them, are unreadable. */
  readonly frozen: ReadonlySet<string>;
}

/** Caddy has three below its own folder: certificates/ISSUER/NAME. */
const MAX_DEPTH = 4;
export const CONCURRENT_LOOKS = 32;

export interface WalkContext {
  readonly files: DirectoryFiles;
  /** The time, milliseconds since 1970. */
  readonly now: () => number;
  /** What an earlier run has found in a folder with this very stamp. Asked where there is nothing from before. */
  readonly remembered?: ((path: string, stamp: string) => Listing | undefined) | undefined;
}

/** @param before what the last walk found. Never rejects. */
export async function walk(
  root: string,
  before: ReadonlyMap<string, Folder>,
  context: WalkContext,
): Promise<Walk> {
  const folders = new Map<string, Folder>();
  const unreadable = new Map<string, string>();
  const frozen = new Set<string>();
  const seen = new Set<string>();
  let level = [root];
  for (let depth = 0; depth <= MAX_DEPTH && level.length > 0; depth += 1) {
    const found = new Map<string, Folder | string | undefined>();
    await forEachBounded(level, CONCURRENT_LOOKS, async (path) => {
      found.set(path, await lookInto(path, path === root, before.get(path), context));
    });
    const below: string[] = [];
    // In the order of the names, so that of two ways to the same folder always the same one is taken.
    for (const path of level) {
      const folder = found.get(path);
      if (folder === undefined) continue;
      if (typeof folder === 'string') {
        unreadable.set(path, folder);
        for (const [earlier, known] of before) {
          if (earlier !== path && !earlier.startsWith(`${path}/`)) continue;
          folders.set(earlier, known);
          frozen.add(earlier);
        }
      } else if (!seen.has(folder.identity)) {
        seen.add(folder.identity);
        folders.set(path, folder);
        below.push(...folder.below.map((name) => join(path, name)));
      }
    }
    level = below;
  }
  return { folders, unreadable, frozen };
}

/** @returns undefined where there is no such folder; a string that says why it cannot be looked into. */
async function lookInto(
  path: string,
  isRoot: boolean,
  before: Folder | undefined,
  { files, now, remembered }: WalkContext,
): Promise<Folder | string | undefined> {
  try {
    const { text: stamp, isRacy, stats } = await files.stampOf(path, now);
    if (!stats.isDirectory()) return isRoot ? `${path} is not a directory` : undefined;
    if (before?.stamp === stamp && !before.isRacy) return before;
    const identity = `${stats.dev}:${stats.ino}`;
    const looked = { path, stamp, isRacy, identity, device: stats.dev };
    const known = before === undefined ? remembered?.(path, stamp) : undefined;
    if (known !== undefined) return { ...looked, pairs: known.pairs, below: known.below, isInherited: false };
    const listed = listing(await files.list(path), before?.pairs ?? []);
    const isEmptied = before !== undefined && before.pairs.length + before.below.length > 0 && listed.isEmpty;
    // Somebody who removes certificates leaves the folder in place; where a file system was unmounted, another folder appears.
    const isOther = isRoot ? before?.identity !== identity : before?.device !== stats.dev;
    if (isEmptied && isOther) return `${path} is empty, and is not the folder that it was (is it unmounted?)`;
    const { pairs, below, isInherited } = listed;
    return { ...looked, pairs, below, isInherited };
  } catch (error) {
    return !isRoot && (await files.isGone(path)) ? undefined : describeError(error);
  }
}

function listing(
  entries: readonly Dirent[],
  earlier: readonly PairFiles[],
): Listing & { readonly isEmpty: boolean; readonly isInherited: boolean } {
  const files: string[] = [];
  const below: string[] = [];
  for (const entry of entries) {
    const { name } = entry;
    const mayBeFolder = entry.isDirectory() || entry.isSymbolicLink();
    if (isFileOfInterest(name) && (!entry.isDirectory() || isHalf(name))) files.push(name);
    else if (mayBeFolder && isFolderOfInterest(name)) below.push(name);
  }
  const pairs = recognise(files, earlier);
  const isInherited = earlier.length > 0 && pairs.length > recognise(files).length;
  return { isEmpty: entries.length === 0, pairs, below: below.sort(), isInherited };
}
