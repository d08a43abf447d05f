/**
 * One certificate of a directory: the files of a pair, read again when one of them has changed.
 *
 * A renewal writes two files, and may be seen half done. Whatever is wrong with the files, what was good before stays until
 * there is something better, or until all of them are gone. Keys are not read here unless the caller wants them checked.
 */
import { join } from 'node:path';
import { describeError } from '../../domain/errors.js';
import type { ServerName } from '../../domain/server-name.js';
import type { CertificatePair } from '../../domain/certificate.js';
import { splitChain } from '../../domain/pem.js';
import {
  digestOf,
  factsOf,
  holdsKey,
  isWhole,
  pairOf,
  versionOf,
  type CertificateFacts,
} from './certificate.js';
import type { DirectoryFiles, Look } from './files.js';
import type { PairFiles } from './layouts.js';

export interface EntryPaths {
  readonly folder: string;
  readonly chain: readonly [string, ...string[]];
  /** The same as the chain's where one file holds both. */
  readonly key: string;
}

export interface Trouble {
  /** One clause for a log line, with the path. Never holds key material. */
  readonly reason: string;
  /** Equal digests mean the same trouble with the same content. */
  readonly digest: string;
  /** The names that the certificate would have; undefined where nobody knows them. */
  readonly names: readonly ServerName[] | undefined;
}

export interface Entry {
  /** The files' paths: one entry a pair of files. */
  readonly id: string;
  readonly paths: EntryPaths;
  /** Differs when one of the files has changed. */
  readonly stamp: string;
  /** To be read again whatever the stamp says. */
  readonly isUnsettled: boolean;
  /** The certificate to serve: the one read last, or the one from before the files changed for the worse. Absent: there was never one. */
  readonly certificate?: CertificateFacts;
  /** Of the certificate and its key: equal versions mean the same pair. */
  readonly version: string;
  readonly trouble?: Trouble;
  /** The pair from before it changed for the worse, where it was in memory. */
  readonly earlier?: CertificatePair;
}

export interface EntryContext {
  readonly files: DirectoryFiles;
  /** The time, milliseconds since 1970. */
  readonly now: () => number;
  /** Whether to check the key now. Asked once for each entry that has changed. */
  readonly isKeyWanted: () => boolean;
  /** The good pair of this version, where it is in memory. */
  readonly pairOf: (id: string, version: string) => CertificatePair | undefined;
  /** Takes a pair that is good. */
  readonly keep: (id: string, version: string, pair: CertificatePair) => void;
  /** What an earlier run has read of an entry with this very stamp. Asked where there is nothing from before. */
  readonly remembered?: ((paths: EntryPaths, stamp: string) => Entry | undefined) | undefined;
}

export function pathsOf(folder: string, { chain: [leaf, ...more], key }: PairFiles): EntryPaths {
  return {
    folder,
    chain: [join(folder, leaf), ...more.map((name) => join(folder, name))],
    key: join(folder, key),
  };
}

export function idOf({ chain, key }: EntryPaths): string {
  return `${chain[0]} ${key}`;
}

/**
 * Reads an entry.
 *
 * @param before what the last reading brought. Returned as it is where nothing has changed.
 * @returns undefined where none of the files is there. Never rejects.
 */
export async function readEntry(
  paths: EntryPaths,
  before: Entry | undefined,
  context: EntryContext,
): Promise<Entry | undefined> {
  const isBoth = paths.key === paths.chain[0];
  const files = isBoth ? paths.chain : [...paths.chain, paths.key];
  const look = await context.files.lookAt(files, context.now);
  const { stamps } = look;
  const stamp = stamps.join(' ');
  if (before?.stamp === stamp && !before.isUnsettled) return before;
  const remembered = before === undefined ? context.remembered?.(paths, stamp) : undefined;
  if (remembered !== undefined) return remembered;
  if (look.stats.size === 0) {
    const gone = await Promise.all(files.map((path) => context.files.isGone(path)));
    if (gone.every(Boolean)) return undefined;
  }
  const read = await readContent(paths, look, before, context);
  const isUnsettled = read.mayPass || look.isRacy;
  const { content } = read;
  const entry = { id: idOf(paths), paths, stamp, isUnsettled, ...content };
  return before?.stamp === stamp && before.isUnsettled === isUnsettled && isSame(before, entry)
    ? before
    : entry;
}

/** Whether two states of an entry are the same to whoever looks its names up. */
export function isSame(a: Entry, b: Entry): boolean {
  return a.version === b.version && a.trouble?.digest === b.trouble?.digest;
}

/** Whether the files are a certificate's, be it a bad one: that a file holds something else is told by its content alone. */
export function isCertificate({ certificate, trouble }: Entry): boolean {
  return certificate !== undefined || trouble !== undefined;
}

type Content = Pick<Entry, 'certificate' | 'version' | 'trouble' | 'earlier'>;

interface ReadContent {
  readonly content: Content;
  /** The trouble may pass by itself: the same files are to be read again. */
  readonly mayPass: boolean;
}

async function readContent(
  paths: EntryPaths,
  { stamps, stats }: Look,
  before: Entry | undefined,
  context: EntryContext,
): Promise<ReadContent> {
  const keyStamp = stamps.at(-1) ?? '';
  const [leafPath] = paths.chain;
  const isBoth = paths.key === leafPath;
  let names = before?.certificate?.names;
  let chainPem = '';
  const worse = (reason: string, keyText = '', mayPass = false): ReadContent => ({
    content: {
      version: before?.version ?? '',
      ...(before?.certificate !== undefined && { certificate: before.certificate }),
      ...earlierOf(before, context),
      trouble: { reason, digest: digestOf(reason, chainPem, keyText), names },
    },
    mayPass,
  });
  try {
    chainPem = await readChain(context.files, paths, stats);
    if (isBoth && before?.certificate === undefined && isWhole(chainPem) && !holdsBoth(chainPem)) {
      // Only its content tells that it is something else: certificates of authorities, say, or parameters.
      return { content: { version: versionOf(chainPem, '') }, mayPass: false };
    }
    const read = factsOf(chainPem);
    if ('reason' in read) {
      names = read.names ?? names;
      return worse(`${leafPath}: ${read.reason}`);
    }
    const { facts } = read;
    names = facts.names;
    if (isBoth ? !holdsKey(chainPem) : keyStamp === MISSING) {
      return worse(isBoth ? `${leafPath}: its private key is missing` : `${paths.key} is missing`);
    }
    const unchecked = versionOf(chainPem, isBoth ? '' : keyStamp);
    // A pair that was not checked before and has not changed is not checked now: only its version would change.
    const isAsBefore = before?.trouble === undefined && before?.version === unchecked;
    if (isAsBefore || !context.isKeyWanted()) {
      return { content: { certificate: facts, version: unchecked }, mayPass: false };
    }
    const keyText = isBoth ? chainPem : await context.files.readText(paths.key, stats.get(paths.key));
    const pair = pairOf(chainPem, keyText);
    if (typeof pair === 'string') return worse(`${paths.key}: ${pair}`, keyText);
    const version = versionOf(chainPem, keyText);
    context.keep(idOf(paths), version, pair);
    return { content: { certificate: facts, version }, mayPass: false };
  } catch (error) {
    return worse(describeError(error), '', true);
  }
}

/** The pair of before, where it was still good then. */
function earlierOf(before: Entry | undefined, context: EntryContext): Pick<Entry, 'earlier'> {
  const earlier = before && (before.earlier ?? context.pairOf(before.id, before.version));
  return earlier === undefined ? {} : { earlier };
}

/** The whole chain. @param known what has just been seen of its files. @throws Error where a file cannot be read. */
export async function readChain(
  files: DirectoryFiles,
  { chain }: EntryPaths,
  known?: Look['stats'],
): Promise<string> {
  const texts = await Promise.all(chain.map((path) => files.readText(path, known?.get(path))));
  return texts.map((text) => (text.endsWith('\n') ? text : `${text}\n`)).join('');
}

function holdsBoth(pem: string): boolean {
  return splitChain(pem).length > 0 && holdsKey(pem);
}

const MISSING = 'ENOENT';
