/**
 * What lies in a certificate directory in which no certificate was recognised: the first names, to tell somebody who has placed them
 * there. Looked up for that alone, so that readings of large directories need not carry what they have no use for.
 */
import { join, relative } from 'node:path';
import { isCertificate } from './entry.js';
import type { DirectoryFiles } from './files.js';
import type { Reading } from './reading.js';

/** Of names that are listed. */
const MAX_NAMES = 5;
/** A disk full of other things need not be searched. */
const MAX_FOLDERS = 100;

/** Whether a reading has found no certificate, be it a good one or a bad one. */
export function hasRecognisedNothing({ entries, unreadable }: Reading): boolean {
  return unreadable.size === 0 && ![...entries.values()].some(isCertificate);
}

/**
 * @returns `README, old/a.crt, keys/ and more`: paths from the directory on, a slash behind folders that were not looked into, and
 *   hidden ones left out. Never rejects.
 */
export async function unrecognisedNames(
  files: DirectoryFiles,
  root: string,
  { folders }: Reading,
): Promise<string> {
  const names: string[] = [];
  for (const folder of [...folders.keys()].slice(0, MAX_FOLDERS)) {
    if (names.length > MAX_NAMES) break;
    const entries = await files.list(folder).catch(() => []);
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(folder, entry.name);
      if (entry.name.startsWith('.') || folders.has(path)) continue;
      names.push(relative(root, path) + (entry.isDirectory() ? '/' : ''));
    }
  }
  if (names.length === 0) return 'nothing';
  const shown = names.slice(0, MAX_NAMES).join(', ');
  return names.length > MAX_NAMES || folders.size > MAX_FOLDERS ? `${shown} and more` : shown;
}
