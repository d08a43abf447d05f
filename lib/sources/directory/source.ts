/**
 * The source `directory`: certificates on disk, as the programs that get them leave them (`layouts.ts` has the list).
 *
 * They are indexed by the names in the certificates; what a folder or file is called (`example.com-0001`) does not matter. For a
 * name all that covers it is handed over, newest first, and only where nothing of it is valid now the one that lapses last
 * (`hand-over.ts`). A wildcard on disk is meant for the names below it, so this needs no switch. Certificates for IP addresses are
 * found by those.
 *
 * Changes are found by looking at the files' stamps every few seconds (`repeated-scan.ts`): change notices are lost on network file
 * systems, bind mounts and links that are switched over, and watching ten thousand folders is beyond the system's usual limit.
 * Look-ups go by the last finished reading. Private keys are read when they are first handed over, or have changed (`pairs.ts`).
 *
 * What cannot be read is unavailable, not absent: for the names that it had, or, where nobody knows them, for every name that
 * is not known, so that nothing is ordered because of it. What was good before goes on being served. A directory that is gone
 * or has been emptied by unmounting counts as unreadable; files that somebody has removed are absent.
 */
import { setMaxListeners } from 'node:events';
import { resolve } from 'node:path';
import { startUnrefTimer, type StartTimer } from '../../base/timer.js';
import { describeError, usageError } from '../../domain/errors.js';
import type { SourceInspection } from '../../domain/inspection.js';
import type { Lookup } from '../../domain/lookup.js';
import { wildcardOf, type ServerName } from '../../domain/server-name.js';
import { silentLogger, type Logger } from '../../log/logger.js';
import type { CertificateSource, ChangedNames, LookupContext, SourceCheck } from '../source.js';
import { isCertificate, isSame, readChain } from './entry.js';
import { DirectoryFiles } from './files.js';
import { handOver, unavailable } from './hand-over.js';
import { DirectoryMemory } from './memory.js';
import { changedNames, indexOf, leavesOf, type DirectoryIndex, type Named } from './name-index.js';
import { DirectoryPairs } from './pairs.js';
import { NOTHING_READ, readDirectory, type Reading, type Remembered } from './reading.js';
import { RepeatedScan } from './repeated-scan.js';
import { DirectoryReports, unreadableText } from './reports.js';
import { canBeOpened, inTime } from './time-limits.js';

export interface DirectoryOptions {
  readonly dir: string;
  /** The time, milliseconds since 1970. */
  readonly now: () => number;
  readonly log?: Logger;
  /** From the end of one reading to the next, at the least. @default 2000 */
  readonly pollMs?: number;
  /**
   * So many of the certificates that have changed from one reading to the next are read with their keys, which takes a
   * millisecond each on Node 20. Beyond, at the start or after all of them were replaced, keys are read when they are first
   * handed over. @default 100
   */
  readonly maxKeysChecked?: number;
  /** Where to keep what was read for the next start, in large directories. @default nowhere */
  readonly memoryFile?: string;
  /** The processor time that this process has used, milliseconds. @default the kernel's word */
  readonly cpuMs?: () => number;
  /** @default a timer that does not keep the process alive */
  readonly startTimer?: StartTimer;
}

/** A certificate of the directory, for whoever lists them all. */
export interface DirectoryCertificate {
  /** With the leaf. */
  readonly file: string;
  /** Milliseconds since 1970. */
  readonly notAfterMs: number;
  /** Its whole chain, as it is on disk now. Rejects where it cannot be read. */
  read(): Promise<string>;
}

const DEFAULT_POLL_MS = 2_000;
const DEFAULT_MAX_KEYS_CHECKED = 100;

export class DirectorySource implements CertificateSource {
  readonly name = 'directory';
  readonly isLocal = true;
  readonly hasAddresses = true;
  readonly #dir: string;
  readonly #files = new DirectoryFiles();
  readonly #now: () => number;
  readonly #log: Logger;
  readonly #maxKeysChecked: number;
  readonly #startTimer: StartTimer;
  readonly #pairs: DirectoryPairs;
  readonly #reports: DirectoryReports;
  readonly #scans: RepeatedScan;
  readonly #memory: DirectoryMemory | undefined;
  readonly #closing = new AbortController();
  #reading = NOTHING_READ;
  #index: DirectoryIndex = indexOf(NOTHING_READ.entries, undefined);
  #listener: ((names: ChangedNames) => void) | undefined;
  /** False until `open` has returned: it throws where the directory cannot be read, so that this is not logged besides. */
  #isOpen = false;

  /**
   * Reads everything once, and goes on watching.
   *
   * @throws ProxyError ERR_USAGE where the directory cannot be read. A certificate that cannot is logged and left out.
   */
  static async open(options: DirectoryOptions): Promise<DirectorySource> {
    const source = new DirectorySource(options);
    const startedAtMs = options.now();
    const remembered = await source.#memory?.recall();
    await source.#scan(remembered);
    const trouble = source.#reading.unreadable.get(source.#dir);
    if (trouble !== undefined) throw usageError(unreadableText(source.#dir, trouble));
    source.#isOpen = true;
    const certificates = [...source.#reading.entries.values()].filter(isCertificate);
    source.#log.notice('the certificate directory is read', {
      dir: source.#dir,
      certificates: certificates.length,
      names: source.#index.names.size,
      remembered: certificates.filter(({ paths, stamp }) => remembered?.entry(paths, stamp) !== undefined)
        .length,
      tookMs: options.now() - startedAtMs,
    });
    await source.#reports.state(source.#reading, source.#index, options.now());
    source.#scans.start();
    return source;
  }

  private constructor(options: DirectoryOptions) {
    // A listener for each look-up under way.
    setMaxListeners(0, this.#closing.signal);
    // Folders below are told by what their paths begin with.
    this.#dir = resolve(options.dir);
    this.#now = options.now;
    this.#log = options.log ?? silentLogger;
    this.#maxKeysChecked = options.maxKeysChecked ?? DEFAULT_MAX_KEYS_CHECKED;
    this.#startTimer = options.startTimer ?? startUnrefTimer;
    this.#reports = new DirectoryReports(this.#files, this.#dir, this.#log);
    this.#scans = new RepeatedScan({
      scan: () => this.#scan(),
      pollMs: options.pollMs ?? DEFAULT_POLL_MS,
      cpuMs: options.cpuMs ?? processCpuMs,
      startTimer: this.#startTimer,
    });
    const { memoryFile: file } = options;
    if (file !== undefined) {
      this.#memory = new DirectoryMemory({
        file,
        dir: this.#dir,
        maxForgotten: this.#maxKeysChecked,
        log: this.#log,
        startTimer: this.#startTimer,
      });
    }
    this.#pairs = new DirectoryPairs(this.#files, ({ paths: { folder } }, reason) =>
      this.#reports.notServable(folder, reason),
    );
  }

  async lookup(name: ServerName, { signal }: LookupContext): Promise<Lookup> {
    if (this.#isClosed) return unavailable('it is closed');
    if (signal.aborted) return unavailable('the look-up was given up');
    const named = this.#namedFor(name);
    if (named.some(({ leaves }) => leaves.length > 0)) {
      const found = await inTime(
        handOver(named, (leaf) => this.#pairs.load(leaf), this.#now()),
        { dir: this.#dir, signal, closing: this.#closing.signal, startTimer: this.#startTimer },
      );
      if (found !== undefined) return found;
    }
    const trouble = this.#troubleOf(named);
    return trouble === undefined ? { kind: 'absent' } : unavailable(trouble);
  }

  inspect(name: ServerName): Promise<SourceInspection> {
    const trouble = this.#troubleOf(this.#namedFor(name));
    return Promise.resolve({ remarks: trouble === undefined ? [] : [{ kind: 'unreadable', text: trouble }] });
  }

  /** The certificates of the last reading. */
  certificates(): DirectoryCertificate[] {
    return [...leavesOf(this.#index)].map(({ paths, certificate: { notAfterMs } }) => ({
      file: paths.chain[0],
      notAfterMs,
      read: () => readChain(this.#files, paths),
    }));
  }

  onChange(listener: (names: ChangedNames) => void): void {
    this.#listener = listener;
  }

  async check(): Promise<SourceCheck> {
    if (this.#isClosed) return { ok: false, reason: 'it is closed' };
    return canBeOpened(this.#files, this.#dir, this.#startTimer);
  }

  /**
   * Reads what has changed. Ends when all that was on disk at the time of the call is in use, and the listener was told.
   * Never rejects.
   */
  async reload(): Promise<void> {
    const isFirst = !this.#scans.isAskedFor;
    await this.#scans.scanAgain();
    // Also where nothing has changed but the date.
    if (isFirst) await this.#reports.state(this.#reading, this.#index, this.#now());
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#scans.stop();
    await this.#memory?.close();
    this.#reading = NOTHING_READ;
    this.#index = indexOf(NOTHING_READ.entries, undefined);
    this.#pairs.clear();
  }

  get #isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** What is known of a name: of the name itself, and of the wildcard above it. */
  #namedFor(name: ServerName): Named[] {
    const wildcard = wildcardOf(name);
    return [this.#index.names.get(name), wildcard && this.#index.names.get(wildcard)].filter(
      (entry) => entry !== undefined,
    );
  }

  #troubleOf(named: readonly Named[]): string | undefined {
    return named.find(({ trouble }) => trouble !== undefined)?.trouble ?? this.#unknown;
  }

  /** Why a name that is not known may have a certificate all the same. */
  get #unknown(): string | undefined {
    const { unreadable } = this.#reading;
    const own = unreadable.get(this.#dir);
    if (own !== undefined) return unreadableText(this.#dir, own);
    return this.#index.unknown && `an unreadable entry in ${this.#dir}: ${this.#index.unknown}`;
  }

  async #scan(remembered?: Remembered): Promise<void> {
    if (this.#isClosed) return;
    const reading = await readDirectory(this.#reading, {
      root: this.#dir,
      files: this.#files,
      now: this.#now,
      maxKeysChecked: this.#maxKeysChecked,
      pairOf: (id, version) => this.#pairs.get(id, version),
      keep: (id, version, pair) => this.#pairs.keep(id, version, pair),
      remembered,
    });
    this.#adopt(reading);
  }

  #adopt(reading: Reading): void {
    if (this.#isClosed) return;
    const before = this.#reading;
    const unknownBefore = this.#unknown;
    this.#reports.troubles(before, reading, this.#isOpen);
    this.#reading = reading;
    // Of a directory that is gone there is nothing to remember.
    if (!reading.unreadable.has(this.#dir)) this.#memory?.note(reading);
    const isNew = [...reading.entries].filter(([id, entry]) => {
      const earlier = before.entries.get(id);
      return earlier === undefined || !isSame(earlier, entry);
    });
    const gone = [...before.entries.keys()].filter((id) => !reading.entries.has(id));
    const isAsBefore = isNew.length === 0 && gone.length === 0 && before.unknown === reading.unknown;
    if (isAsBefore) return;
    for (const id of gone) this.#pairs.forget(id);
    this.#index = indexOf(reading.entries, reading.unknown);
    const concerned = changedNames(
      { entries: before.entries, unknown: unknownBefore },
      { entries: reading.entries, unknown: this.#unknown },
    );
    this.#reports.indexed(
      this.#index,
      { changed: isNew.length, removed: gone.length, certificates: reading.entries.size },
      concerned,
    );
    if (this.#isOpen) this.#reports.shortcomings(this.#index, this.#now());
    this.#tell(concerned);
  }

  #tell(names: ChangedNames): void {
    if (names?.length === 0) return;
    try {
      this.#listener?.(names);
    } catch (thrown) {
      this.#log.err('a change in the certificate directory could not be passed on', {
        error: describeError(thrown),
      });
    }
  }
}

function processCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
