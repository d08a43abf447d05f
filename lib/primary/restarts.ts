/**
 * When workers that have died are replaced.
 *
 * One that has lived for a while is replaced at once. One that died young is held back, each time for longer: what is wrong with
 * it will be wrong with the next one too, and starting it costs. But nobody is served while no worker accepts: then the
 * next start comes after a second at most.
 */
import type { StartTimer } from '../base/timer.js';

/** A worker that lived less than this has died young. */
const YOUNG_MS = 5_000;
const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 10_000;
const LONGEST_WITHOUT_ANY_MS = 1_000;

export interface RestartsOptions {
  readonly startTimer: StartTimer;
  /** Starts a worker, if one is wanted still. */
  readonly start: () => void;
}

export class Restarts {
  readonly #options: RestartsOptions;
  readonly #timers = new Set<() => void>();
  #delayMs = FIRST_DELAY_MS;

  constructor(options: RestartsOptions) {
    this.#options = options;
  }

  /**
   * A worker has died: there will be another.
   *
   * @param othersAccept whether there is a worker that accepts.
   * @returns in how many milliseconds it will be started.
   */
  schedule({ livedMs, othersAccept }: { readonly livedMs: number; readonly othersAccept: boolean }): number {
    const isYoung = livedMs < YOUNG_MS;
    this.#delayMs = isYoung ? Math.min(this.#delayMs * 2, LONGEST_DELAY_MS) : FIRST_DELAY_MS;
    const longestMs = othersAccept ? LONGEST_DELAY_MS : LONGEST_WITHOUT_ANY_MS;
    const delayMs = isYoung ? Math.min(this.#delayMs, longestMs) : 0;
    const cancel = this.#options.startTimer(() => {
      this.#timers.delete(cancel);
      this.#options.start();
    }, delayMs);
    this.#timers.add(cancel);
    return delayMs;
  }

  /** Nothing is started any more. */
  stop(): void {
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
  }
}
