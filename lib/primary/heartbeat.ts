/**
 * Finds the workers that stand still: stopped, or with an event loop that something blocks. Such a process does not die by itself;
 * its connections hang, and so does whoever waits for it.
 *
 * Each second every worker is asked for a sign of life, over the bus. One that has given none three times in a row is silent. What
 * must not cost a healthy worker its life:
 *
 * 1. The primary itself has stood still (stopped, a debugger, no processor time): the answers lie unread in the pipe. Its own timer
 *    was late then, which wipes out all misses.
 * 2. A worker that starts is loading its program and cannot hear yet: it has twenty seconds.
 *
 * Time is measured by the monotonic clock, which does not count while a laptop sleeps.
 */
import type { StartTimer } from '../base/timer.js';

const PERIOD_MS = 1_000;
/** A timer that fires so much later than it should shows that this process has stood still. */
const LATE_MS = 500;
const MISSES = 3;
const MISSES_AT_START = 20;

/** @typeParam W a worker. */
export interface HeartbeatOptions<W> {
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  readonly startTimer: StartTimer;
  /** Whether it is still loading its program, or opening its listeners. */
  isStarting(worker: W): boolean;
  /** Asks it for a sign of life; rejects when there is none. */
  ping(worker: W): Promise<unknown>;
  /** It has given none for so long, and is not watched any more. */
  onSilent(worker: W, silentMs: number): void;
}

interface Watch {
  misses: number;
  heard: boolean;
  heardAtMs: number;
}

export class Heartbeat<W> {
  readonly #options: HeartbeatOptions<W>;
  readonly #watches = new Map<W, Watch>();
  #dueMs = 0;
  #stopTimer: (() => void) | undefined;

  constructor(options: HeartbeatOptions<W>) {
    this.#options = options;
  }

  watch(worker: W): void {
    // It has been started this moment, and that is a sign of life too.
    this.#watches.set(worker, { misses: 0, heard: true, heardAtMs: this.#options.now() });
    if (this.#stopTimer === undefined) this.#arm();
  }

  /** It has given a sign of life. */
  heard(worker: W): void {
    const watch = this.#watches.get(worker);
    if (watch === undefined) return;
    watch.heard = true;
    watch.heardAtMs = this.#options.now();
  }

  unwatch(worker: W): void {
    this.#watches.delete(worker);
    if (this.#watches.size > 0) return;
    this.#stopTimer?.();
    this.#stopTimer = undefined;
  }

  #arm(): void {
    this.#dueMs = this.#options.now() + PERIOD_MS;
    this.#stopTimer = this.#options.startTimer(() => this.#beat(), PERIOD_MS);
  }

  #beat(): void {
    const nowMs = this.#options.now();
    const isLate = nowMs - this.#dueMs > LATE_MS;
    this.#arm();
    for (const [worker, watch] of [...this.#watches]) {
      watch.misses = isLate || watch.heard ? 0 : watch.misses + 1;
      if (watch.misses >= (this.#options.isStarting(worker) ? MISSES_AT_START : MISSES)) {
        this.unwatch(worker);
        this.#options.onSilent(worker, nowMs - watch.heardAtMs);
        continue;
      }
      watch.heard = false;
      this.#options.ping(worker).then(
        () => this.heard(worker),
        () => undefined,
      );
    }
  }
}
