/**
 * The source `directory`: certificates as certbot and its like leave them on disk.
 *
 * Every folder one level below the directory, and the directory itself, that has a `fullchain.pem` and a `privkey.pem`.
 * Folders are indexed by the names in their certificates; what a folder is called (`example.com-0001`) does not matter.
 *
 * For a name, in this order:
 *
 * 1. a valid certificate that has the name itself,
 * 2. a valid one with the wildcard above it (`*.example.com` on disk is meant for `www.example.com`, so this needs no
 *    switch),
 * 3. only where there is no valid one: the one that has the name and lapsed last,
 * 4. the same with the wildcard.
 *
 * The newest counts, and where there are a valid ECDSA and a valid RSA certificate, both are handed over.
 *
 * Changes are found by looking at the files' times every few seconds: change notices are lost on network file systems,
 * bind mounts and links that are switched over. Look-ups read no file; they use the last finished reading. When the
 * directory is gone, that reading goes on being used.
 */
import type { Dirent } from 'node:fs';
import { opendir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startUnrefTimer, type StartTimer } from '../caches/timer.js';
import type { CertificatePair } from '../domain/certificate.js';
import { describeError, usageError } from '../domain/errors.js';
import type { Lookup } from '../domain/lookup.js';
import { wildcardOf, type ServerName } from '../domain/server-name.js';
import { silentLogger, type Logger } from '../log.js';
import { readFolder, type FolderState, type Leaf } from './directory-folder.js';
import type { CertificateSource, LookupContext, SourceCheck } from './source.js';

export interface DirectoryOptions {
  readonly dir: string;
  /** The time, milliseconds since 1970. */
  readonly now: () => number;
  readonly log?: Logger;
  /** From the end of one reading to the next, at the least. @default 5000 */
  readonly pollMs?: number;
  /** @default a timer that does not keep the process alive */
  readonly startTimer?: StartTimer;
}

const DEFAULT_POLL_MS = 5_000;
/** Reading takes at most a twentieth of the time, however many folders there are … */
const REST_FACTOR = 20;
/** … but a clock that was set meanwhile must not put it off for long. */
const MAX_POLL_MS = 60_000;
const CONCURRENT_FOLDERS = 32;
const CHECK_TIMEOUT_MS = 2_000;

/** What is known of a name. */
interface Entry {
  /** The newest first. */
  readonly leaves: Leaf[];
  /** Why a certificate of this name cannot be used. */
  trouble?: string;
}

export class DirectorySource implements CertificateSource {
  readonly name = 'directory';
  readonly isLocal = true;
  readonly #dir: string;
  readonly #now: () => number;
  readonly #log: Logger;
  readonly #pollMs: number;
  readonly #startTimer: StartTimer;
  #folders = new Map<string, FolderState>();
  #index = new Map<ServerName, Entry>();
  /** Why the directory itself cannot be read. */
  #trouble: string | undefined;
  #lastScan: Promise<void> = Promise.resolve();
  #nextScan: Promise<void> | undefined;
  #cancelPoll: (() => void) | undefined;
  /** Until then, `open` throws what is wrong with the directory, and nobody logs it besides. */
  #isOpen = false;
  #isClosed = false;

  /**
   * Reads everything once, and goes on watching.
   *
   * @throws ProxyError ERR_USAGE where the directory cannot be read. A folder that cannot is logged and left out.
   */
  static async open(options: DirectoryOptions): Promise<DirectorySource> {
    const source = new DirectorySource(options);
    const startedAtMs = options.now();
    await source.reload();
    if (source.#trouble !== undefined) throw usageError(source.#trouble);
    source.#isOpen = true;
    source.#log.notice('the certificate directory is read', {
      dir: options.dir,
      folders: source.#folders.size,
      names: source.#index.size,
      tookMs: options.now() - startedAtMs,
    });
    source.#poll(0);
    return source;
  }

  private constructor(options: DirectoryOptions) {
    this.#dir = options.dir;
    this.#now = options.now;
    this.#log = options.log ?? silentLogger;
    this.#pollMs = options.pollMs ?? DEFAULT_POLL_MS;
    this.#startTimer = options.startTimer ?? startUnrefTimer;
  }

  lookup(name: ServerName, { signal }: LookupContext): Promise<Lookup> {
    return Promise.resolve(this.#find(name, signal));
  }

  async check(): Promise<SourceCheck> {
    if (this.#isClosed) return { ok: false, reason: 'it is closed' };
    return new Promise((resolve) => {
      const late = `the directory ${this.#dir} does not answer`;
      const cancel = this.#startTimer(() => resolve({ ok: false, reason: late }), CHECK_TIMEOUT_MS);
      const settle = (outcome: SourceCheck): void => {
        cancel();
        resolve(outcome);
      };
      opendir(this.#dir)
        .then((handle) => handle.close())
        .then(
          () => settle({ ok: true }),
          (error: unknown) => settle({ ok: false, reason: this.#unreadable(error) }),
        );
    });
  }

  /** Reads what has changed. Ends when all that was on disk at the time of the call is in use. Never rejects. */
  reload(): Promise<void> {
    // A reading under way may have passed what has changed just now: another one follows it, for all who ask meanwhile.
    this.#nextScan ??= this.#lastScan = this.#lastScan.then(() => {
      this.#nextScan = undefined;
      return this.#scan();
    });
    return this.#nextScan;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelPoll?.();
    await this.#lastScan;
    this.#folders.clear();
    this.#index.clear();
  }

  #find(name: ServerName, signal: AbortSignal): Lookup {
    // Never with the scope `source`: a breaker would skip the names that are still known, too.
    const unavailable = (reason: string): Lookup => ({ kind: 'unavailable', reason, scope: 'name' });
    if (this.#isClosed) return unavailable('it is closed');
    if (signal.aborted) return unavailable('the look-up was given up');
    const wildcard = wildcardOf(name);
    const entries = [this.#index.get(name), wildcard && this.#index.get(wildcard)].filter(
      (entry) => entry !== undefined,
    );
    const nowMs = this.#now();
    const valid = entries.map(({ leaves }) => validPairs(leaves, nowMs)).filter(({ length }) => length > 0);
    if (valid.length > 0) return { kind: 'found', candidates: valid };
    const lapsed = entries.map(({ leaves }) => latestPair(leaves)).filter(({ length }) => length > 0);
    if (lapsed.length > 0) return { kind: 'found', candidates: lapsed };
    const trouble = entries.find((entry) => entry.trouble !== undefined)?.trouble ?? this.#trouble;
    return trouble === undefined ? { kind: 'absent' } : unavailable(trouble);
  }

  #poll(lastTookMs: number): void {
    if (this.#isClosed) return;
    const delayMs = Math.max(this.#pollMs, Math.min(lastTookMs * REST_FACTOR, MAX_POLL_MS));
    this.#cancelPoll = this.#startTimer(() => {
      const startedAtMs = this.#now();
      void this.reload().then(() => this.#poll(this.#now() - startedAtMs));
    }, delayMs);
  }

  async #scan(): Promise<void> {
    if (this.#isClosed) return;
    let entries: Dirent[];
    try {
      entries = await readdir(this.#dir, { withFileTypes: true });
    } catch (error) {
      const trouble = this.#unreadable(error);
      if (trouble !== this.#trouble && this.#isOpen) this.#log.err(trouble);
      this.#trouble = trouble;
      return;
    }
    this.#trouble = undefined;
    const folders = entries
      .filter((entry) => (entry.isDirectory() || entry.isSymbolicLink()) && !entry.name.startsWith('.'))
      .map((entry) => entry.name);
    const found = new Map<string, FolderState>();
    await forEachBounded(['.', ...folders.sort()], CONCURRENT_FOLDERS, async (folder) => {
      const state = await readFolder(join(this.#dir, folder), this.#folders.get(folder), this.#now());
      if (state !== undefined) found.set(folder, state);
    });
    this.#adopt(found);
  }

  #adopt(found: Map<string, FolderState>): void {
    const before = this.#folders;
    const changed = [...found].filter(([folder, state]) => before.get(folder) !== state);
    if (changed.length === 0 && found.size === before.size) return;
    for (const [folder, { trouble, leaf }] of changed) {
      if (trouble === undefined || trouble.digest === before.get(folder)?.trouble?.digest) continue;
      const what =
        leaf === undefined ? 'is left out' : 'has changed for the worse, and the last good pair is kept';
      this.#log.err(`a certificate folder ${what}: ${trouble.reason}`, { folder: join(this.#dir, folder) });
    }
    this.#folders = found;
    this.#index = indexOf(found);
    this.#log.info('the certificate directory is indexed', {
      changed: changed.length,
      folders: found.size,
      names: this.#index.size,
    });
  }

  #unreadable(error: unknown): string {
    return `the certificate directory ${this.#dir} cannot be read: ${describeError(error)}`;
  }
}

function indexOf(folders: ReadonlyMap<string, FolderState>): Map<ServerName, Entry> {
  const index = new Map<ServerName, Entry>();
  const entryOf = (name: ServerName): Entry => {
    const entry = index.get(name) ?? { leaves: [] };
    index.set(name, entry);
    return entry;
  };
  // By folder name, so that of two equally new ones the same is used everywhere and always.
  for (const [, { leaf, trouble }] of [...folders].sort(([a], [b]) => (a < b ? -1 : 1))) {
    for (const name of leaf?.names ?? []) if (leaf !== undefined) entryOf(name).leaves.push(leaf);
    for (const name of trouble?.names ?? [])
      if (trouble !== undefined) entryOf(name).trouble = trouble.reason;
  }
  for (const { leaves } of index.values()) {
    leaves.sort((a, b) => b.notBeforeMs - a.notBeforeMs || b.notAfterMs - a.notAfterMs);
  }
  return index;
}

/** The newest valid certificate of each key type. */
function validPairs(leaves: readonly Leaf[], nowMs: number): CertificatePair[] {
  const valid = leaves.filter(({ notBeforeMs, notAfterMs }) => notBeforeMs <= nowMs && nowMs < notAfterMs);
  const newest = [valid.find(({ isRsa }) => !isRsa), valid.find(({ isRsa }) => isRsa)];
  return newest.filter((leaf) => leaf !== undefined).map(({ pair }) => pair);
}

/** The certificate that lapsed last, whatever its key. */
function latestPair(leaves: readonly Leaf[]): CertificatePair[] {
  const [latest] = [...leaves].sort((a, b) => b.notAfterMs - a.notAfterMs);
  return latest === undefined ? [] : [latest.pair];
}

async function forEachBounded<T>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  // One iterator for all: each takes what the others have not.
  const rest = items.values();
  const takeTurns = async (): Promise<void> => {
    for (const item of rest) await work(item);
  };
  await Promise.all(Array.from({ length: limit }, takeTurns));
}
