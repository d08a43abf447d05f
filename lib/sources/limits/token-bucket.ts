/**
 * A token bucket whose waiting clients are served in turns.
 *
 * The bucket holds up to `burst` tokens and gains `ratePerSecond`. A caller that finds none waits. Tokens go to the waiting clients
 * round-robin, one each, whatever the number of their requests: a scanner waits for itself. The number of waiters is
 * bounded; when it is reached, a client with few of them displaces the youngest of the client with the most.
 */
import { ClientTurns } from '../../base/client-turns.js';
import { startUnrefTimer, type StartTimer } from '../../base/timer.js';

export interface FairTokenBucketOptions {
  /** Above 0. */
  readonly ratePerSecond: number;
  /** The most tokens that can be saved up, at least 1. The bucket starts full. */
  readonly burst: number;
  /** The time in milliseconds, from any origin. */
  readonly now: () => number;
  /** @default 1024 */
  readonly maxWaiters?: number;
  /** @default a timer that does not keep the process alive */
  readonly startTimer?: StartTimer;
}

interface Waiter {
  /** Ends the wait: with a token or without. */
  settle(hasToken: boolean): void;
}

const DEFAULT_MAX_WAITERS = 1024;

export class FairTokenBucket {
  readonly #ratePerMs: number;
  readonly #burst: number;
  readonly #maxWaiters: number;
  readonly #now: () => number;
  readonly #startTimer: StartTimer;
  readonly #turns = new ClientTurns<Waiter>();
  #tokens: number;
  #filledAtMs: number;
  #cancelTimer: (() => void) | undefined;
  #isClosed = false;

  constructor(options: FairTokenBucketOptions) {
    this.#ratePerMs = options.ratePerSecond / 1000;
    this.#burst = Math.max(1, options.burst);
    this.#maxWaiters = options.maxWaiters ?? DEFAULT_MAX_WAITERS;
    this.#now = options.now;
    this.#startTimer = options.startTimer ?? startUnrefTimer;
    this.#tokens = this.#burst;
    this.#filledAtMs = this.#now();
  }

  /** Tokens that are there now; the last one may be a part. */
  get left(): number {
    this.#refill();
    return this.#tokens;
  }

  get ratePerSecond(): number {
    return this.#ratePerMs * 1000;
  }

  /** How many are waiting for a token. */
  get waiting(): number {
    return this.#turns.size;
  }

  /**
   * Takes a token, or waits for one.
   *
   * @param client whose turn it is to be, an address.
   * @param signal ends the wait.
   * @returns true with a token; false without: aborted, displaced, too many waiting, or the bucket is closed. Never rejects.
   */
  acquire(client: string, signal: AbortSignal): Promise<boolean> {
    if (this.#isClosed || signal.aborted) return Promise.resolve(false);
    this.#serve();
    // Tokens that are left now are not needed by those who wait.
    if (this.#tokens >= 1) {
      this.#tokens -= 1;
      return Promise.resolve(true);
    }
    if (this.waiting >= this.#maxWaiters) {
      const displaced = this.#turns.displaceFor(client);
      if (displaced === undefined) return Promise.resolve(false);
      displaced.settle(false);
    }
    const waiting = this.#enqueue(client, signal);
    this.#schedule();
    return waiting;
  }

  /** Gives a token back, as what it was taken for has cost nothing. */
  refund(): void {
    this.#tokens += 1;
    this.#serve();
  }

  /** Ends every wait without a token, and refuses all that come later. */
  close(): void {
    this.#isClosed = true;
    for (const waiter of this.#turns.removeAll(() => true)) waiter.settle(false);
  }

  #enqueue(client: string, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const onAbort = (): void => waiter.settle(false);
      const waiter: Waiter = {
        settle: (hasToken) => {
          signal.removeEventListener('abort', onAbort);
          this.#turns.remove(client, waiter);
          if (this.waiting === 0) this.#stopTimer();
          resolve(hasToken);
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#turns.add(client, waiter);
    });
  }

  #stopTimer(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  #refill(): void {
    const nowMs = this.#now();
    // A clock that was set back must not take tokens away.
    const gained = Math.max(0, nowMs - this.#filledAtMs) * this.#ratePerMs;
    this.#tokens = Math.min(this.#burst, this.#tokens + gained);
    this.#filledAtMs = nowMs;
  }

  /** Hands out what tokens there are, one turn after the other. */
  #serve(): void {
    this.#refill();
    while (this.#tokens >= 1) {
      const waiter = this.#turns.next();
      if (waiter === undefined) return;
      this.#tokens -= 1;
      waiter.settle(true);
    }
  }

  /** Sets the timer for the next token, if anyone waits for it. */
  #schedule(): void {
    if (this.waiting === 0 || this.#cancelTimer !== undefined) return;
    const delayMs = Math.max(1, Math.ceil((1 - this.#tokens) / this.#ratePerMs));
    this.#cancelTimer = this.#startTimer(() => {
      this.#cancelTimer = undefined;
      this.#serve();
      this.#schedule();
    }, delayMs);
  }
}
