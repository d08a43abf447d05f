/**
 * Says in the log when the access log cannot be written, and when it can again: lines would be missing without a word otherwise.
 *
 * Once for each trouble, and a new one once a minute at most: a disk that is full now and then fills no log. It outlives the file:
 * one that was opened anew on the same full disk is the same trouble.
 */
import type { SinkWatch } from '../../log/line-sink.js';
import type { Logger } from '../../log/logger.js';

const AT_MOST_EVERY_MS = 60_000;

export class AccessLogTrouble implements SinkWatch {
  readonly #log: Logger;
  readonly #now: () => number;
  #isTold = false;
  #toldAtMs = -Infinity;
  #lost = 0;

  /** @param now milliseconds from any origin. */
  constructor(log: Logger, now = (): number => performance.now()) {
    this.#log = log;
    this.#now = now;
  }

  onFailed(code: string): void {
    if (this.#isTold || this.#now() - this.#toldAtMs < AT_MOST_EVERY_MS) return;
    this.#isTold = true;
    this.#toldAtMs = this.#now();
    const error = code === 'EAGAIN' ? 'its reader is too slow' : code;
    this.#log.err('the access log cannot be written: lines wait, and are lost in the end', { error });
  }

  onLost(lines: number): void {
    this.#lost += lines;
  }

  onWritten(): void {
    if (!this.#isTold) return;
    this.#isTold = false;
    this.#log.notice('the access log is written again', { lost: this.#lost });
    this.#lost = 0;
  }
}
