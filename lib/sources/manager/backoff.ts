/**
 * A bounded memory of names that are to be left alone for a while, longer after each failure in a row.
 *
 * The first failure holds for `firstMs`, each further one twice as long as the one before, up to `maxMs`. A name counts
 * as failing in a row until it is cleared, or until nothing was heard of it for `maxMs` after its hold ended.
 *
 * A failure that was not the name's fault may be excused, once in a row: it holds shortly, and does not count.
 */
import type { LRUCache } from 'lru-cache';
import { growingLru } from '../../base/growing-lru.js';
import type { ServerName } from '../../domain/server-name.js';

/** Names remembered. The least recently used are forgotten, and so are ordered again too early; that keeps the memory bounded. */
const MAX_NAMES = 100_000;

export interface HoldOffOptions {
  readonly firstMs: number;
  readonly maxMs: number;
  /** The clock, milliseconds. */
  readonly now: () => number;
  /** @default 100,000 */
  readonly maxNames?: number;
}

interface Hold {
  readonly untilMs: number;
  /** Failures in a row; 0 after a success. */
  readonly failures: number;
  /** One of them was excused; `last`: the last one. */
  readonly excused?: 'last' | 'earlier';
}

export class Backoff {
  readonly #options: HoldOffOptions;
  readonly #holds: LRUCache<ServerName, Hold>;

  constructor(options: HoldOffOptions) {
    this.#options = options;
    this.#holds = growingLru(options.maxNames ?? MAX_NAMES, { perf: { now: options.now }, ttlResolution: 0 });
  }

  /** Milliseconds for which the name is still to be left alone; 0 if it is not. */
  remainingMs(name: ServerName): number {
    const hold = this.#holds.get(name);
    return hold === undefined ? 0 : Math.max(0, hold.untilMs - this.#options.now());
  }

  /** How many names are to be left alone now. */
  get held(): number {
    const nowMs = this.#options.now();
    let held = 0;
    for (const { untilMs } of this.#holds.values()) if (untilMs > nowMs) held += 1;
    return held;
  }

  /** Notes a failure. @returns how long the name is held now, milliseconds. */
  fail(name: ServerName): number {
    const hold = this.#holds.get(name);
    const failures = (hold?.failures ?? 0) + 1;
    const { firstMs, maxMs } = this.#options;
    // At most 2^30: far above any sensible maximum, far below what overflows.
    const holdMs = Math.min(firstMs * 2 ** Math.min(failures - 1, 30), Math.max(firstMs, maxMs));
    this.#hold(name, holdMs, { failures, ...(hold?.excused !== undefined && { excused: 'earlier' }) });
    return holdMs;
  }

  /**
   * Notes a failure that was not the name's fault. One in a row is excused; further ones are like any other.
   *
   * @param shortMs how long an excused one holds, at most `firstMs`.
   * @returns how long the name is held now, milliseconds.
   */
  excuse(name: ServerName, shortMs: number): number {
    const hold = this.#holds.get(name);
    if (hold?.excused !== undefined) return this.fail(name);
    const holdMs = Math.min(shortMs, this.#options.firstMs);
    this.#hold(name, holdMs, { failures: hold?.failures ?? 0, excused: 'last' });
    return holdMs;
  }

  /** Whether the last failure of the name was excused: what comes next is its second try. */
  isExcused(name: ServerName): boolean {
    return this.#holds.get(name)?.excused === 'last';
  }

  /** Ends a row of failures, and leaves the name alone for `firstMs` all the same. */
  rest(name: ServerName): void {
    this.#hold(name, this.#options.firstMs, { failures: 0 });
  }

  /** Forgets a name, or all. */
  clear(name?: ServerName): void {
    if (name === undefined) this.#holds.clear();
    else this.#holds.delete(name);
  }

  /** Takes over what another one remembers, as when the settings have been read again. */
  takeOver(other: Backoff): void {
    this.#holds.load(other.#holds.dump());
  }

  #hold(name: ServerName, holdMs: number, row: Omit<Hold, 'untilMs'>): void {
    this.#holds.set(
      name,
      { untilMs: this.#options.now() + holdMs, ...row },
      { ttl: holdMs + this.#options.maxMs },
    );
  }
}
