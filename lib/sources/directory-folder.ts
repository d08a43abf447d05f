/**
 * One folder of certificates: `fullchain.pem` beside `privkey.pem`, read again when it has changed.
 *
 * A renewal writes two files, and may be seen half done. Whatever is wrong with a folder, the pair that was good before
 * stays until there is a better one, or until both files are gone.
 */
import { createHash, X509Certificate } from 'node:crypto';
import { lstat, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { examine, splitChain, type CertificatePair } from '../domain/certificate.js';
import { describeError } from '../domain/errors.js';
import { normaliseDomain, type ServerName } from '../domain/server-name.js';

/** A certificate whose key matches. */
export interface Leaf {
  readonly pair: CertificatePair;
  /** The host names in it; wildcards literally. */
  readonly names: readonly ServerName[];
  readonly isRsa: boolean;
  /** Milliseconds since 1970. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

export interface Trouble {
  /** One clause for a log line. */
  readonly reason: string;
  /** Equal digests mean the same trouble with the same files. */
  readonly digest: string;
  /** The names that the certificate would have, where it can be read. */
  readonly names: readonly ServerName[];
}

export interface FolderState {
  /** Changes with the chain. The key's file is not watched: a new certificate comes with a new chain. */
  readonly stamp: string;
  readonly leaf?: Leaf;
  readonly trouble?: Trouble;
}

const CHAIN_FILE = 'fullchain.pem';
const KEY_FILE = 'privkey.pem';
/** No chain is that long. Keeps a mistaken link to a disk image out of the memory. */
const MAX_FILE_BYTES = 1_048_576;
const ANY_BLOCK = /-----BEGIN /g;

/**
 * Reads a folder.
 *
 * @param previous what the last reading brought. Returned as it is where nothing has changed and nothing was wrong.
 * @returns undefined where the folder holds neither of the two files. Never rejects.
 */
export async function readFolder(
  folder: string,
  previous: FolderState | undefined,
  nowMs: number,
): Promise<FolderState | undefined> {
  const chainPath = join(folder, CHAIN_FILE);
  const keyPath = join(folder, KEY_FILE);
  let stamp = '';
  let names: readonly ServerName[] = [];
  try {
    stamp = await stampOf(chainPath);
    if (previous !== undefined && previous.stamp === stamp && previous.trouble === undefined) return previous;
    const chainPem = await readText(chainPath);
    const leaf = leafOf(chainPem);
    if (leaf !== undefined) names = namesOf(leaf);
    const keyPem = await readText(keyPath);
    const outcome = readPair({ chainPem, keyPem }, leaf, names, nowMs);
    if (typeof outcome !== 'string') return { stamp, leaf: outcome };
    return troubled(previous, { reason: outcome, content: `${chainPem}\0${keyPem}`, names }, stamp);
  } catch (error) {
    if (stamp === '' && !(await isThere(chainPath)) && !(await isThere(keyPath))) return undefined;
    return troubled(previous, { reason: describeError(error), content: '', names }, stamp);
  }
}

function troubled(
  previous: FolderState | undefined,
  { reason, content, names }: { reason: string; content: string; names: readonly ServerName[] },
  stamp: string,
): FolderState {
  const digest = createHash('sha256').update(`${reason}\0${content}`).digest('hex');
  if (previous?.trouble?.digest === digest && previous.stamp === stamp) return previous;
  return {
    stamp,
    trouble: { reason, digest, names },
    ...(previous?.leaf === undefined ? {} : { leaf: previous.leaf }),
  };
}

/** The certificate with its key, or a clause that says why it cannot be used. */
function readPair(
  pair: CertificatePair,
  leaf: X509Certificate | undefined,
  names: readonly ServerName[],
  nowMs: number,
): Leaf | string {
  // A file that is being written may end anywhere.
  if (splitChain(pair.chainPem).length !== (pair.chainPem.match(ANY_BLOCK) ?? []).length) {
    return `${CHAIN_FILE} is cut off, or holds more than certificates`;
  }
  const verdict = examine([pair], undefined, nowMs);
  if (verdict.kind === 'unusable') return verdict.reason;
  const { pairs, notBeforeMs, notAfterMs } = verdict.bundle;
  const [read] = pairs;
  if (read === undefined || leaf === undefined || names.length === 0) return 'the certificate names no host';
  const keyType = leaf.publicKey.asymmetricKeyType;
  return { pair: read, names, isRsa: keyType === 'rsa' || keyType === 'rsa-pss', notBeforeMs, notAfterMs };
}

function leafOf(chainPem: string): X509Certificate | undefined {
  const [leafPem] = splitChain(chainPem);
  try {
    return leafPem === undefined ? undefined : new X509Certificate(leafPem);
  } catch {
    return undefined;
  }
}

/** The host names of a certificate: its alternative names, or, without any, its common name. */
function namesOf(leaf: X509Certificate): ServerName[] {
  // Node escapes commas within a name, so that this list can be split.
  const alternatives = (leaf.subjectAltName ?? '')
    .split(', ')
    .filter((entry) => entry.startsWith('DNS:'))
    .map((entry) => entry.slice('DNS:'.length));
  // Undefined where it is empty, whatever the type says.
  const subject = leaf.subject as string | undefined;
  const commonNames = (subject ?? '')
    .split('\n')
    .filter((entry) => entry.startsWith('CN='))
    .map((entry) => entry.slice('CN='.length));
  const names = (alternatives.length > 0 ? alternatives : commonNames).map(normaliseDomain);
  return [...new Set(names)].filter((name) => name !== undefined);
}

async function stampOf(path: string): Promise<string> {
  const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
  return [dev, ino, size, mtimeNs, ctimeNs].join(':');
}

async function readText(path: string): Promise<string> {
  const found = await stat(path);
  // Opening a pipe would wait for somebody to write into it.
  if (!found.isFile()) throw new Error(`${path} is not a file`);
  if (found.size > MAX_FILE_BYTES) throw new Error(`${path} is longer than 1 MiB`);
  return readFile(path, 'utf8');
}

/** Whether there is anything of that name, be it a link that leads nowhere or something that we may not look at. */
async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    return !(
      error instanceof Error &&
      'code' in error &&
      (error.code === 'ENOENT' || error.code === 'ENOTDIR')
    );
  }
}
