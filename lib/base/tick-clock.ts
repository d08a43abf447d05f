/**
 * A clock for many deadlines: it ticks, and its owner looks at all of them. A timer for each would cost more than what it guards.
 */

/** A number of ticks; Infinity where nothing is waited for. */
export type Tick = number;

export class TickClock {
  readonly #tickMs: number;
  readonly #onTick: (now: Tick) => void;
  #now = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(tickMs: number, onTick: (now: Tick) => void) {
    this.#tickMs = tickMs;
    this.#onTick = onTick;
  }

  /** The tick that is at least so many milliseconds away. Round up: the current tick is partial. */
  after(ms: number): Tick {
    return this.#now + Math.ceil(ms / this.#tickMs) + 1;
  }

  /** Does not keep the process. */
  start(): void {
    this.#timer ??= setInterval(() => {
      this.#now += 1;
      this.#onTick(this.#now);
    }, this.#tickMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
