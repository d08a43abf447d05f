/**
 * The file in which what was read of a certificate directory outlives the program, so that the next start need not read ten
 * thousand certificates again. Losing it costs a slow start, and nothing else.
 */
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeDirectory } from '../../base/make-directory.js';
import type { StartTimer } from '../../base/timer.js';
import { describeError } from '../../domain/errors.js';
import type { Logger } from '../../log/logger.js';
import type { Reading, Remembered } from './reading.js';
import { fromStoredForm, storedForm } from './remembered.js';

export interface DirectoryMemoryOptions {
  /** Its folder is made where it is missing. */
  readonly file: string;
  /** The absolute path of the certificate directory. */
  readonly dir: string;
  /**
   * Up to so many certificates are not remembered: a start reads all of them with their keys, and has them in memory
   * should they change for the worse.
   */
  readonly maxForgotten: number;
  readonly log: Logger;
  readonly startTimer: StartTimer;
}

/** From a reading that has changed something to its being written: others follow, and a write is some megabytes. */
const WRITE_DELAY_MS = 10_000;

export class DirectoryMemory {
  readonly #options: DirectoryMemoryOptions;
  #latest: Reading | undefined;
  #cancelWrite: (() => void) | undefined;
  #lastWrite: Promise<void> = Promise.resolve();
  #isThere = false;
  #isFailing = false;

  constructor(options: DirectoryMemoryOptions) {
    this.#options = options;
  }

  /** What an earlier run has read. Never rejects: what cannot be used is as if there were none. */
  async recall(): Promise<Remembered | undefined> {
    const { file, dir, log } = this.#options;
    let remembered: ReturnType<typeof fromStoredForm>;
    try {
      const stats = await stat(file);
      this.#isThere = true;
      // Reading a pipe would wait for ever.
      remembered = stats.isFile()
        ? fromStoredForm(await readFile(file, 'utf8'), dir)
        : { reason: 'it is not a file' };
    } catch (error) {
      if (!this.#isThere) return undefined;
      remembered = { reason: describeError(error) };
    }
    if (!('reason' in remembered)) return remembered;
    log.debug(`what is remembered of the certificate directory is not used: ${remembered.reason}`, { file });
    return undefined;
  }

  /** Takes a reading, and writes it after a while where it is another one than before. */
  note(reading: Reading): void {
    const before = this.#latest;
    this.#latest = reading;
    if (before !== undefined && isAsBefore(before, reading)) return;
    this.#cancelWrite ??= this.#options.startTimer(() => this.#write(), WRITE_DELAY_MS);
  }

  /** Writes what has not been written. Never rejects. */
  async close(): Promise<void> {
    if (this.#cancelWrite !== undefined) this.#write();
    await this.#lastWrite;
    this.#latest = undefined;
  }

  #write(): void {
    this.#cancelWrite?.();
    this.#cancelWrite = undefined;
    this.#lastWrite = this.#lastWrite.then(() => this.#writeLatest());
  }

  async #writeLatest(): Promise<void> {
    const { file, dir, maxForgotten, log } = this.#options;
    const reading = this.#latest;
    if (reading === undefined) return;
    try {
      if (reading.entries.size > maxForgotten) {
        await makeDirectory(dirname(file));
        // Under another name first: whoever reads it finds all of it or none.
        const draft = `${file}.new`;
        await rm(draft, { force: true });
        await writeFile(draft, storedForm(dir, reading), { mode: 0o600, flag: 'wx' });
        await rename(draft, file);
        this.#isThere = true;
      } else if (this.#isThere) {
        await rm(file, { force: true });
        this.#isThere = false;
      }
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) {
        log.notice('the certificate directory is not remembered: the next start reads all of it', {
          file,
          error: describeError(error),
        });
      }
      this.#isFailing = true;
    }
  }
}

/** Folders and certificates that have not changed are the same objects from one reading to the next. */
function isAsBefore(before: Reading, after: Reading): boolean {
  return isSameMap(before.folders, after.folders) && isSameMap(before.entries, after.entries);
}

function isSameMap<T>(a: ReadonlyMap<string, T>, b: ReadonlyMap<string, T>): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) if (b.get(key) !== value) return false;
  return true;
}
