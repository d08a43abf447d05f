/**
 * What a reading has found, in a form that is kept from one run of the program to the next. PURE.
 *
 * It saves reading, and changes nothing: a reading with it finds what one without it would. So it has only what was good and whose
 * stamps can be trusted (no racy ones, as in Git's index), and it counts only for files with exactly the same stamp. No private key
 * is in it: a certificate's `version` has nothing but digests.
 */
import type { CertificateFacts } from './certificate.js';
import { idOf, pathsOf, type Entry, type EntryPaths } from './entry.js';
import type { PairFiles } from './layouts.js';
import type { Reading, Remembered } from './reading.js';
import type { Folder } from './walk.js';

/** To be raised whenever the same files would be read as something else: other facts, names in another form, another stamp. */
const FORMAT = 1;

interface StoredDirectory {
  readonly format: typeof FORMAT;
  /** The absolute path. */
  readonly dir: string;
  readonly folders: readonly StoredFolder[];
}

interface StoredFolder {
  readonly path: string;
  /** Absent where the folder is to be listed again. */
  readonly stamp?: string;
  readonly below: readonly string[];
  readonly certificates: readonly StoredCertificate[];
}

interface StoredCertificate {
  readonly files: PairFiles;
  readonly stamp: string;
  readonly version: string;
  /** Absent where the file holds something else. */
  readonly facts?: CertificateFacts;
}

/** @param dir the absolute path of the directory. @returns JSON. */
export function storedForm(dir: string, { folders, entries }: Reading): string {
  const stored: StoredFolder[] = [];
  for (const { path, stamp, isRacy, isInherited, pairs, below } of folders.values()) {
    const certificates = pairs.flatMap((files) => {
      const entry = entries.get(idOf(pathsOf(path, files)));
      return entry === undefined || entry.isUnsettled || entry.trouble !== undefined
        ? []
        : [storedCertificate(files, entry)];
    });
    const isWhole = !isRacy && !isInherited && certificates.length === pairs.length;
    stored.push({ path, ...(isWhole && { stamp }), below, certificates });
  }
  return JSON.stringify({ format: FORMAT, dir, folders: stored } satisfies StoredDirectory);
}

/** What is kept, or a clause that says why it cannot be used. */
export function fromStoredForm(json: string, dir: string): Remembered | { readonly reason: string } {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return { reason: 'it is not JSON' };
  }
  if (!isRecord(value) || value['format'] !== FORMAT) return { reason: 'it has another format' };
  if (value['dir'] !== dir) return { reason: 'it is about another directory' };
  const stored = value['folders'];
  if (!isArrayOf(stored, isFolder)) return { reason: 'it is damaged' };
  const folders = new Map<string, Pick<Folder, 'stamp' | 'pairs' | 'below'>>();
  const known = new Map<string, StoredCertificate>();
  for (const { path, stamp, below, certificates } of stored) {
    if (stamp !== undefined) {
      folders.set(path, { stamp, below, pairs: certificates.map(({ files }) => files) });
    }
    for (const certificate of certificates) known.set(keyOf(path, certificate.files), certificate);
  }
  return {
    folder: (path, stamp) => sameStamp(folders.get(path), stamp),
    entry: (paths, stamp) => {
      const certificate = sameStamp(known.get(idOf(paths)), stamp);
      return certificate && entryOf(paths, certificate);
    },
  };
}

function storedCertificate(files: PairFiles, { stamp, version, certificate }: Entry): StoredCertificate {
  return { files, stamp, version, ...(certificate !== undefined && { facts: certificate }) };
}

/** As `idOf(pathsOf(…))`, which would be half of what loading ten thousand takes. */
function keyOf(folder: string, { chain: [leaf], key }: PairFiles): string {
  return `${folder}/${leaf} ${folder}/${key}`;
}

function entryOf(paths: EntryPaths, { stamp, version, facts }: StoredCertificate): Entry {
  const known = { id: idOf(paths), paths, stamp, isUnsettled: false, version };
  return facts === undefined ? known : { ...known, certificate: facts };
}

function sameStamp<T extends { readonly stamp: string }>(known: T | undefined, stamp: string): T | undefined {
  return known?.stamp === stamp ? known : undefined;
}

function isFolder(value: unknown): value is StoredFolder {
  return (
    isRecord(value) &&
    isText(value['path']) &&
    (value['stamp'] === undefined || isText(value['stamp'])) &&
    isArrayOf(value['below'], isText) &&
    isArrayOf(value['certificates'], isCertificate)
  );
}

function isCertificate(value: unknown): value is StoredCertificate {
  if (!isRecord(value)) return false;
  const { files, stamp, version, facts } = value;
  return (
    isRecord(files) &&
    isArrayOf(files['chain'], isText) &&
    files['chain'].length > 0 &&
    isText(files['key']) &&
    isText(stamp) &&
    isText(version) &&
    (facts === undefined || isFacts(facts))
  );
}

function isFacts(value: unknown): value is CertificateFacts {
  if (!isRecord(value)) return false;
  const { names, isRsa, notBeforeMs, notAfterMs, standing } = value;
  return (
    isArrayOf(names, isText) &&
    typeof isRsa === 'boolean' &&
    typeof notBeforeMs === 'number' &&
    typeof notAfterMs === 'number' &&
    isStanding(standing)
  );
}

function isStanding(value: unknown): value is CertificateFacts['standing'] {
  if (!isRecord(value)) return false;
  const { isIssuerMissing, intermediate, mustStaple } = value;
  return (
    typeof isIssuerMissing === 'boolean' &&
    typeof mustStaple === 'boolean' &&
    (intermediate === undefined ||
      (isRecord(intermediate) &&
        isText(intermediate['name']) &&
        typeof intermediate['notAfterMs'] === 'number'))
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isArrayOf<T>(value: unknown, isItem: (item: unknown) => item is T): value is readonly T[] {
  return Array.isArray(value) && value.every(isItem);
}
