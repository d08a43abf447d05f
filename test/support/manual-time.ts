/** A clock and timers that stand still until a test moves them. */
import type { StartTimer } from '../../lib/base/timer.js';

export class ManualTime {
  nowMs: number;
  #timers: { dueMs: number; callback: () => void }[] = [];

  constructor(startMs = 1_700_000_000_000) {
    this.nowMs = startMs;
  }

  readonly now = (): number => this.nowMs;

  /** What somebody has set the machine's clock forward by. */
  dateOffsetMs = 0;

  readonly clock = { now: this.now, date: (): number => this.nowMs + this.dateOffsetMs };

  readonly startTimer: StartTimer = (callback, delayMs) => {
    const timer = { dueMs: this.nowMs + delayMs, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  };

  /** How long until each running timer is due, soonest first. */
  get delaysMs(): number[] {
    return this.#timers.map(({ dueMs }) => dueMs - this.nowMs).sort((a, b) => a - b);
  }

  /** Moves the clock on, running what falls due on the way, and lets promises settle after each. */
  async advance(ms: number): Promise<void> {
    const endMs = this.nowMs + ms;
    for (;;) {
      const [next] = this.#timers.filter(({ dueMs }) => dueMs <= endMs).sort((a, b) => a.dueMs - b.dueMs);
      if (next === undefined) break;
      this.#timers = this.#timers.filter((other) => other !== next);
      this.nowMs = next.dueMs;
      next.callback();
      await settled();
    }
    this.nowMs = endMs;
    await settled();
  }
}

/** Lets every promise that can settle do so. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
