/**
 * The source `directory`: certificates on disk, as the programs that get them leave them (`layouts.ts` has the list).
 *
 * Indexed by the names in the certificates; what a folder or file is called (`example.com-0001`) does not matter. For a name
 * all that covers it is handed over, newest first (`name-index.ts`), and only where nothing of it is valid now the one
 * that lapses last. A wildcard on disk is meant for the names below it, so this needs no switch.
 * Certificates for IP addresses are found by those.
 *
 * Changes are found by looking at the files' stamps every few seconds: change notices are lost on network file systems, bind
 * mounts and links that are switched over, and watching ten thousand folders is beyond the system's usual limit. Look-ups go by
 * the last finished reading. Private keys are read when they are first handed over, or have changed (`pairs.ts`).
 *
 * What cannot be read is unavailable, not absent: for the names that it had, or, where nobody knows them, for every name that
 * is not known, so that nothing is ordered on its account. What was good before goes on being served. A directory that is gone
 * or has been emptied by unmounting is such a thing; files that somebody has removed are absent.
 */
import { setMaxListeners } from 'node:events';
import { opendir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { startUnrefTimer, type StartTimer } from '../../base/timer.js';
import type { CertificatePair } from '../../domain/certificate.js';
import { describeError, usageError } from '../../domain/errors.js';
import type { Lookup } from '../../domain/lookup.js';
import { wildcardOf, type ServerName } from '../../domain/server-name.js';
import { silentLogger, type Logger } from '../../log/logger.js';
import { isSame } from './entry.js';
import { changedNames, indexOf, lapsedFirst, validGroups, type DirectoryIndex } from './name-index.js';
import type { Leaf, Named } from './name-index.js';
import { LOOKED_FOR } from './layouts.js';
import { DirectoryMemory } from './memory.js';
import { DirectoryPairs } from './pairs.js';
import { DirectoryShortcomings } from './shortcomings.js';
import { NOTHING_READ, readDirectory, type Reading, type Remembered } from './reading.js';
import type { CertificateSource, ChangedNames, LookupContext, SourceCheck } from '../source.js';

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

const DEFAULT_POLL_MS = 2_000;
/**
 * Reading takes at most an eleventh of a processor, however many certificates there are. It goes by the processor time used: a
 * process that was stopped meanwhile, or had to wait, has cost nobody anything, and must not look away for long.
 */
const REST_FACTOR = 10;
const MAX_POLL_MS = 60_000;
const DEFAULT_MAX_KEYS_CHECKED = 100;
const CHECK_TIMEOUT_MS = 2_000;
/** For the files of a look-up: a network file system may not answer at all. */
const LOOKUP_TIMEOUT_MS = 1_000;
const MAX_CANDIDATES = 8;

export class DirectorySource implements CertificateSource {
  readonly name = 'directory';
  readonly isLocal = true;
  readonly hasAddresses = true;
  readonly #dir: string;
  readonly #now: () => number;
  readonly #log: Logger;
  readonly #pollMs: number;
  readonly #maxKeysChecked: number;
  readonly #startTimer: StartTimer;
  readonly #cpuMs: () => number;
  readonly #pairs: DirectoryPairs;
  readonly #shortcomings: DirectoryShortcomings;
  readonly #memory: DirectoryMemory | undefined;
  readonly #closing = new AbortController();
  #reading = NOTHING_READ;
  #index: DirectoryIndex = indexOf(NOTHING_READ.entries, undefined);
  #listener: ((names: ChangedNames) => void) | undefined;
  #lastScan: Promise<void> = Promise.resolve();
  #nextScan: Promise<void> | undefined;
  #cancelPoll: (() => void) | undefined;
  /** Until then, `open` throws what is wrong with the directory, and nobody logs it besides. */
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
    if (trouble !== undefined) throw usageError(source.#unreadable(trouble));
    source.#isOpen = true;
    source.#log.notice('the certificate directory is read', {
      dir: source.#dir,
      certificates: source.#reading.entries.size,
      names: source.#index.names.size,
      remembered: [...source.#reading.entries.values()].filter(
        ({ paths, stamp }) => remembered?.entry(paths, stamp) !== undefined,
      ).length,
      tookMs: options.now() - startedAtMs,
    });
    source.#sayIfNothing();
    source.#shortcomings.say(source.#index, options.now());
    source.#poll(0);
    return source;
  }

  private constructor(options: DirectoryOptions) {
    // A listener for each look-up under way.
    setMaxListeners(0, this.#closing.signal);
    // Folders below are told by what their paths begin with.
    this.#dir = resolve(options.dir);
    this.#now = options.now;
    this.#log = options.log ?? silentLogger;
    this.#pollMs = options.pollMs ?? DEFAULT_POLL_MS;
    this.#maxKeysChecked = options.maxKeysChecked ?? DEFAULT_MAX_KEYS_CHECKED;
    this.#startTimer = options.startTimer ?? startUnrefTimer;
    this.#cpuMs = options.cpuMs ?? processCpuMs;
    this.#shortcomings = new DirectoryShortcomings(this.#log);
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
    this.#pairs = new DirectoryPairs(({ paths: { folder } }, reason) =>
      this.#log.err(`a certificate cannot be served: ${reason}`, { folder }),
    );
  }

  async lookup(name: ServerName, { signal }: LookupContext): Promise<Lookup> {
    if (this.#isClosed) return unavailable('it is closed');
    if (signal.aborted) return unavailable('the look-up was given up');
    const wildcard = wildcardOf(name);
    const named = [this.#index.names.get(name), wildcard && this.#index.names.get(wildcard)].filter(
      (entry) => entry !== undefined,
    );
    if (named.some(({ leaves }) => leaves.length > 0)) {
      const found = await this.#inTime(this.#load(named), signal);
      if (found !== undefined) return found;
    }
    const trouble = named.find((entry) => entry.trouble !== undefined)?.trouble ?? this.#unknown;
    return trouble === undefined ? { kind: 'absent' } : unavailable(trouble);
  }

  onChange(listener: (names: ChangedNames) => void): void {
    this.#listener = listener;
  }

  async check(): Promise<SourceCheck> {
    if (this.#isClosed) return { ok: false, reason: 'it is closed' };
    return new Promise((settled) => {
      const late = `the directory ${this.#dir} does not answer`;
      const cancel = this.#startTimer(() => settled({ ok: false, reason: late }), CHECK_TIMEOUT_MS);
      const settle = (outcome: SourceCheck): void => {
        cancel();
        settled(outcome);
      };
      opendir(this.#dir)
        .then((handle) => handle.close())
        .then(
          () => settle({ ok: true }),
          (error: unknown) => settle({ ok: false, reason: this.#unreadable(describeError(error)) }),
        );
    });
  }

  /**
   * Reads what has changed. Ends when all that was on disk at the time of the call is in use, and the listener was told.
   * Never rejects.
   */
  async reload(): Promise<void> {
    const isFirst = this.#nextScan === undefined;
    await this.#readAgain();
    if (!isFirst) return;
    this.#sayIfNothing();
    // Also where nothing has changed but the date.
    this.#shortcomings.say(this.#index, this.#now());
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#cancelPoll?.();
    await this.#lastScan;
    await this.#memory?.close();
    this.#reading = NOTHING_READ;
    this.#index = indexOf(NOTHING_READ.entries, undefined);
    this.#pairs.clear();
  }

  get #isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Why a name that is not known may have a certificate all the same. */
  get #unknown(): string | undefined {
    const { unreadable } = this.#reading;
    const own = unreadable.get(this.#dir);
    if (own !== undefined) return this.#unreadable(own);
    return this.#index.unknown && `an unreadable entry in ${this.#dir}: ${this.#index.unknown}`;
  }

  /** @returns undefined where nothing is known of these names but trouble. */
  async #load(named: readonly Named[]): Promise<Lookup | undefined> {
    const reasons: string[] = [];
    const load = async (leaves: readonly Leaf[]): Promise<CertificatePair[]> => {
      const loaded = await Promise.all(leaves.map((leaf) => this.#pairs.load(leaf)));
      return loaded.flatMap((pair) => {
        if (!('reason' in pair)) return [pair];
        reasons.push(pair.reason);
        return [];
      });
    };
    const valid = await Promise.all(validGroups(named, this.#now(), MAX_CANDIDATES).map(load));
    let candidates = valid.filter(({ length }) => length > 0);
    if (candidates.length === 0) {
      const lapsed = await Promise.all(named.map((entry) => firstOf(lapsedFirst(entry), load)));
      candidates = lapsed.filter(({ length }) => length > 0);
    }
    if (candidates.length > 0) return { kind: 'found', candidates };
    return reasons[0] === undefined ? undefined : unavailable(reasons[0]);
  }

  /** The answer, or `unavailable` where it takes too long, nobody wants it any more, or the source is closed. */
  async #inTime(answer: Promise<Lookup | undefined>, signal: AbortSignal): Promise<Lookup | undefined> {
    const closing = this.#closing.signal;
    let cancel = (): void => undefined;
    let giveUp = (): void => undefined;
    const givenUp = new Promise<Lookup>((settled) => {
      giveUp = () => settled(unavailable(closing.aborted ? 'it is closed' : 'the look-up was given up'));
      cancel = this.#startTimer(
        () => settled(unavailable(`the directory ${this.#dir} does not answer`)),
        LOOKUP_TIMEOUT_MS,
      );
    });
    for (const end of [signal, closing]) end.addEventListener('abort', giveUp, { once: true });
    try {
      return await Promise.race([answer, givenUp]);
    } finally {
      cancel();
      for (const end of [signal, closing]) end.removeEventListener('abort', giveUp);
    }
  }

  #poll(lastCpuMs: number): void {
    if (this.#isClosed) return;
    const delayMs = Math.max(this.#pollMs, Math.min(lastCpuMs * REST_FACTOR, MAX_POLL_MS));
    this.#cancelPoll = this.#startTimer(() => {
      const startMs = this.#cpuMs();
      void this.#readAgain().then(() => this.#poll(this.#cpuMs() - startMs));
    }, delayMs);
  }

  #readAgain(): Promise<void> {
    // A reading under way may have passed what has changed just now: another one follows it, for all who ask meanwhile.
    this.#nextScan ??= this.#lastScan = this.#lastScan.then(() => {
      this.#nextScan = undefined;
      return this.#scan();
    });
    return this.#nextScan;
  }

  async #scan(remembered?: Remembered): Promise<void> {
    if (this.#isClosed) return;
    const reading = await readDirectory(this.#reading, {
      root: this.#dir,
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
    this.#sayTroubles(before, reading);
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
    this.#log.info('the certificate directory is indexed', {
      changed: isNew.length,
      removed: gone.length,
      certificates: reading.entries.size,
      names: this.#index.names.size,
      lookedUpAfresh: concerned?.length ?? 'all',
    });
    if (this.#isOpen) this.#shortcomings.say(this.#index, this.#now());
    this.#tell(concerned);
  }

  #tell(names: ChangedNames): void {
    if (names?.length === 0) return;
    try {
      this.#listener?.(names);
    } catch (thrown) {
      this.#log.err('a change of the certificate directory was not taken', { error: describeError(thrown) });
    }
  }

  #sayTroubles(before: Reading, { entries, unreadable }: Reading): void {
    for (const [path, reason] of unreadable) {
      if (before.unreadable.get(path) === reason) continue;
      if (path !== this.#dir)
        this.#log.err(`a certificate folder cannot be read: ${reason}`, { folder: path });
      else if (this.#isOpen) this.#log.err(this.#unreadable(reason));
    }
    for (const [id, { trouble, certificate, paths }] of entries) {
      if (trouble === undefined || trouble.digest === before.entries.get(id)?.trouble?.digest) continue;
      const what =
        certificate === undefined
          ? 'is left out'
          : 'has changed for the worse, and the last good pair is kept';
      this.#log.err(`a certificate ${what}: ${trouble.reason}`, { folder: paths.folder });
    }
  }

  #sayIfNothing(): void {
    if (this.#reading.entries.size > 0 || this.#reading.unreadable.size > 0) return;
    this.#log.notice('no certificate was recognised in the certificate directory', {
      dir: this.#dir,
      lookedFor: LOOKED_FOR,
    });
  }

  #unreadable(reason: string): string {
    return `the certificate directory ${this.#dir} cannot be read: ${reason}`;
  }
}

/** Never with the scope `source`: a breaker would skip the names that are still known, too. */
function unavailable(reason: string): Lookup {
  return { kind: 'unavailable', reason, scope: 'name' };
}

/** The pairs of the first leaf that has one. */
async function firstOf(
  leaves: readonly Leaf[],
  load: (leaves: readonly Leaf[]) => Promise<CertificatePair[]>,
): Promise<CertificatePair[]> {
  for (const leaf of leaves.slice(0, MAX_CANDIDATES)) {
    const pairs = await load([leaf]);
    if (pairs.length > 0) return pairs;
  }
  return [];
}

function processCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
