/**
 * A circuit breaker, as a pure state machine: closed, until a number of failures in a row opens it; open, until one success
 * closes it. It calls nobody and sets no timer: its owner decides when to try again.
 */

export interface CircuitBreakerOptions {
  /** The time, milliseconds since 1970. */
  readonly now: () => number;
  /** Failures in a row that open it. @default 3 */
  readonly threshold?: number;
}

export type BreakerState = 'closed' | 'open';

const DEFAULT_THRESHOLD = 3;

export class CircuitBreaker {
  readonly #now: () => number;
  readonly #threshold: number;
  #failures = 0;
  #openSinceMs: number | undefined;

  constructor({ now, threshold = DEFAULT_THRESHOLD }: CircuitBreakerOptions) {
    this.#now = now;
    this.#threshold = threshold;
  }

  get state(): BreakerState {
    return this.#openSinceMs === undefined ? 'closed' : 'open';
  }

  /** When it opened, milliseconds since 1970; undefined while it is closed. */
  get openSinceMs(): number | undefined {
    return this.#openSinceMs;
  }

  /** @returns whether this success closed it. */
  success(): boolean {
    const wasOpen = this.#openSinceMs !== undefined;
    this.#failures = 0;
    this.#openSinceMs = undefined;
    return wasOpen;
  }

  /** Counts a failure that does not open it by itself. @returns whether another one would: it is to be found out what is wrong. */
  doubtfulFailure(): boolean {
    if (this.#openSinceMs !== undefined) return false;
    this.#failures += 1;
    return this.#failures >= this.#threshold;
  }

  /** @returns whether this failure opened it. */
  failure(): boolean {
    if (this.#openSinceMs !== undefined) return false;
    this.#failures += 1;
    if (this.#failures < this.#threshold) return false;
    this.#openSinceMs = this.#now();
    return true;
  }
}
