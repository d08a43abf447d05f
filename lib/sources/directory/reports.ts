/**
 * What the log says of a certificate directory: what cannot be read or served, what its certificates lack, and what was indexed.
 * Each trouble is logged once, not with each reading that finds it again.
 */
import type { Logger } from '../../log/logger.js';
import type { ChangedNames } from '../source.js';
import type { DirectoryFiles } from './files.js';
import { LOOKED_FOR } from './layouts.js';
import type { DirectoryIndex } from './name-index.js';
import type { Reading } from './reading.js';
import { DirectoryShortcomings } from './shortcomings.js';
import { hasRecognisedNothing, unrecognisedNames } from './unrecognised.js';

export class DirectoryReports {
  readonly #files: DirectoryFiles;
  readonly #dir: string;
  readonly #log: Logger;
  readonly #shortcomings: DirectoryShortcomings;

  constructor(files: DirectoryFiles, dir: string, log: Logger) {
    this.#files = files;
    this.#dir = dir;
    this.#log = log;
    this.#shortcomings = new DirectoryShortcomings(log);
  }

  /**
   * Reports what is wrong in a reading and was not in the one before.
   *
   * @param isOpen false: that the directory itself cannot be read is left out, as whoever opens it is told.
   */
  troubles(before: Reading, { entries, unreadable }: Reading, isOpen: boolean): void {
    for (const [path, reason] of unreadable) {
      if (before.unreadable.get(path) === reason) continue;
      if (path !== this.#dir)
        this.#log.err(`a certificate folder cannot be read: ${reason}`, { folder: path });
      else if (isOpen) this.#log.err(unreadableText(this.#dir, reason));
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

  /** Reports a pair that turned out to be bad when it was to be handed over. */
  notServable(folder: string, reason: string): void {
    this.#log.err(`a certificate cannot be served: ${reason}`, { folder });
  }

  /** Reports that there is another index, and how many names are looked up afresh for it. */
  indexed(
    { names }: DirectoryIndex,
    counts: { readonly changed: number; readonly removed: number; readonly certificates: number },
    concerned: ChangedNames,
  ): void {
    this.#log.info('the certificate directory is indexed', {
      ...counts,
      names: names.size,
      lookedUpAfresh: concerned?.length ?? 'all',
    });
  }

  /** Reports that nothing was recognised, where that is so, and what the certificates lack. Never rejects. @param nowMs since 1970 */
  async state(reading: Reading, index: DirectoryIndex, nowMs: number): Promise<void> {
    if (hasRecognisedNothing(reading)) {
      this.#log.notice('no certificate was recognised in the certificate directory', {
        dir: this.#dir,
        lookedFor: LOOKED_FOR,
        found: await unrecognisedNames(this.#files, this.#dir, reading),
      });
    }
    this.shortcomings(index, nowMs);
  }

  /** Reports what the certificates lack. @param nowMs milliseconds since 1970. */
  shortcomings(index: DirectoryIndex, nowMs: number): void {
    this.#shortcomings.say(index, nowMs);
  }
}

/** That a certificate directory cannot be read, as one sentence. */
export function unreadableText(dir: string, reason: string): string {
  return `the certificate directory ${dir} cannot be read: ${reason}`;
}
