/**
 * A circuit breaker on the bus: whether the primary answers in time.
 *
 * One request that was not answered opens it. While it is open nobody waits for the primary; at most once a second a request
 * is sent that no handshake waits for, and an answer closes it. Without handshakes nothing is sent. The log tells once that it
 * has opened and once that it has closed.
 */
import { describeError, ProxyError } from '../domain/errors.js';
import type { Logger } from '../log/logger.js';

const PROBE_INTERVAL_MS = 1_000;

export class PrimaryBreaker {
  readonly #log: Logger;
  readonly #now: () => number;
  #openSinceMs: number | undefined;
  #probedAtMs = -Infinity;
  /** How many handshakes were answered without the primary since it opened. */
  #spared = 0;

  /** @param now milliseconds from any origin. */
  constructor(log: Logger, now: () => number) {
    this.#log = log;
    this.#now = now;
  }

  get isOpen(): boolean {
    return this.#openSinceMs !== undefined;
  }

  /** To be asked for each handshake while it is open. @returns whether this one may try the primary again. */
  mayProbe(): boolean {
    this.#spared += 1;
    const nowMs = this.#now();
    if (nowMs - this.#probedAtMs < PROBE_INTERVAL_MS) return false;
    this.#probedAtMs = nowMs;
    return true;
  }

  succeeded(): void {
    if (this.#openSinceMs === undefined) return;
    this.#log.notice('the primary answers again', {
      afterMs: Math.round(this.#now() - this.#openSinceMs),
      handshakesWithout: this.#spared,
    });
    this.#openSinceMs = undefined;
    this.#spared = 0;
  }

  failed(thrown: unknown): void {
    if (this.#openSinceMs !== undefined) return;
    this.#openSinceMs = this.#probedAtMs = this.#now();
    this.#log.err(
      'the primary does not answer: certificates at hand are served on, other names get the default',
      {
        code: thrown instanceof ProxyError ? thrown.code : 'ERR_INTERNAL',
        error: describeError(thrown),
      },
    );
  }
}
