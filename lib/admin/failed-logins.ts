/**
 * Who has given wrong passwords, by client address, and how long each is to wait.
 *
 *  1. A few failures are free: people mistype.
 *  2. The next one holds the address for a second, each further one twice as long as the one before, up to a minute. What is
 *     refused meanwhile is no failure, so whoever waits gets a try.
 *  3. A right password ends the row. So do ten minutes without a failure.
 *
 * By address and not by user: a guesser could name another user each time, and lock out a user from elsewhere. An IPv6 client
 * has a whole /64 to choose from and counts as that. The empty address, of clients on a unix socket, is nobody's: it is never
 * held, for whoever is behind it would hold all the others.
 *
 * (Fail counts by address with a hold are the model of fail2ban and rate-limiter-flexible; the hold that doubles is ownCloud's.)
 */
import type { LRUCache } from 'lru-cache';
import { growingLru } from '../base/growing-lru.js';
import type { Logger } from '../log/logger.js';

export interface FailedLoginsOptions {
  readonly log: Logger;
  /** The clock, milliseconds from any origin. */
  readonly now: () => number;
  /** Addresses remembered, the most recently used. @default 10,000 */
  readonly maxAddresses?: number;
}

interface Row {
  readonly failures: number;
  readonly heldUntilMs: number;
}

const FREE_FAILURES = 4;
const FIRST_HOLD_MS = 1_000;
const MAX_HOLD_MS = 60_000;
const FORGET_AFTER_MS = 600_000;
/** Some 3 MB. A guesser with more addresses than this is not stopped. */
const MAX_ADDRESSES = 10_000;
const NOTICES_PER_MINUTE = 10;
const MINUTE_MS = 60_000;

export class FailedLogins {
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #rows: LRUCache<string, Row>;
  #minuteBeganMs = -Infinity;
  #noticesOfMinute = 0;
  #leftOut = 0;

  constructor({ log, now, maxAddresses = MAX_ADDRESSES }: FailedLoginsOptions) {
    this.#log = log;
    this.#now = now;
    this.#rows = growingLru(maxAddresses, { perf: { now }, ttlResolution: 0 });
  }

  /** Failures in a row. */
  failures(client: string): number {
    return this.#rows.get(client)?.failures ?? 0;
  }

  /** Milliseconds until a client may try again; 0: now. */
  heldMs(client: string): number {
    const row = this.#rows.get(client);
    return row === undefined ? 0 : Math.max(0, row.heldUntilMs - this.#now());
  }

  /** Notes a wrong password. */
  fail(client: string): void {
    if (client === '') return;
    const failures = this.failures(client) + 1;
    const holdMs = holdAfter(failures);
    this.#rows.set(
      client,
      { failures, heldUntilMs: this.#now() + holdMs },
      { ttl: holdMs + FORGET_AFTER_MS },
    );
    // Log each longer hold once: the longest is not logged again.
    if (holdMs > holdAfter(failures - 1)) this.#notice(client, failures, holdMs);
  }

  /** Notes a right password. @returns the failures that it ends. */
  succeed(client: string): number {
    const failures = this.failures(client);
    this.#rows.delete(client);
    return failures;
  }

  #notice(client: string, failures: number, holdMs: number): void {
    const nowMs = this.#now();
    if (nowMs - this.#minuteBeganMs >= MINUTE_MS) {
      this.#minuteBeganMs = nowMs;
      this.#noticesOfMinute = 0;
    }
    if (this.#noticesOfMinute >= NOTICES_PER_MINUTE) {
      this.#leftOut += 1;
      return;
    }
    this.#noticesOfMinute += 1;
    this.#log.notice('wrong passwords at the admin routes: the address is refused for a while', {
      ...{ client, failures, seconds: holdMs / 1_000 },
      ...(this.#leftOut > 0 && { noticesLeftOut: this.#leftOut }),
    });
    this.#leftOut = 0;
  }
}

function holdAfter(failures: number): number {
  if (failures <= FREE_FAILURES) return 0;
  return Math.min(MAX_HOLD_MS, FIRST_HOLD_MS * 2 ** (failures - FREE_FAILURES - 1));
}
