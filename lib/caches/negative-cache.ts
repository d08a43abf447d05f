/**
 * Names without a certificate: a store of its own, bounded in number, so that junk names push out nothing but each other.
 *
 * `absent` (every source said that there is none) and `error` (nobody could tell) are kept apart, each with the time to
 * live that it was stored with, fixed from insertion.
 */
import type { LRUCache } from 'lru-cache';
import { growingLru, resizedLru } from '../base/growing-lru.js';
import type { NegativeFacts } from '../domain/inspection.js';
import type { ServerName } from '../domain/server-name.js';

export type Negative =
  | { readonly kind: 'absent' }
  /** `reason`: one clause for a log line. */
  | {
      readonly kind: 'error';
      readonly reason: string;
      /** Every source says that there is none, and what was there before serves on for a while. */
      readonly isGrace?: boolean;
    }
  /** A worker's: OpenSSL serves none of the certificates that there are. */
  | { readonly kind: 'refused'; readonly reason: string };

/** Both times by the cache's own clock. */
export type NegativeEntry = Negative & { readonly storedAtMs: number; readonly expiresAtMs: number };

export interface NegativeCacheOptions {
  /** A whole number above 0. */
  readonly maxItems: number;
  /** Milliseconds from any origin: a clock for durations. */
  readonly now: () => number;
}

export class NegativeCache {
  readonly #now: () => number;
  #entries: LRUCache<ServerName, NegativeEntry>;

  constructor({ maxItems, now }: NegativeCacheOptions) {
    this.#now = now;
    this.#entries = growingLru(maxItems);
  }

  /** How many names are kept, expired ones that nobody has asked for since included. */
  get size(): number {
    return this.#entries.size;
  }

  /** Stores what is known of a name for `ttlMs`, in place of what was known before. */
  set(name: ServerName, negative: Negative, ttlMs: number): void {
    const storedAtMs = this.#now();
    this.#entries.set(name, { ...negative, storedAtMs, expiresAtMs: storedAtMs + ttlMs });
  }

  /** What is known of a name, unless it has expired. */
  get(name: ServerName): NegativeEntry | undefined {
    const entry = this.#entries.get(name);
    if (entry === undefined) return undefined;
    if (this.#now() < entry.expiresAtMs) return entry;
    this.#entries.delete(name);
    return undefined;
  }

  /** What is known of a name, for a person. Does not update recency. */
  inspect(name: ServerName): NegativeFacts | undefined {
    const entry = this.#entries.peek(name);
    const nowMs = this.#now();
    if (entry === undefined || nowMs >= entry.expiresAtMs) return undefined;
    return {
      kind: entry.kind,
      ageMs: nowMs - entry.storedAtMs,
      leftMs: entry.expiresAtMs - nowMs,
      ...('reason' in entry && { reason: entry.reason }),
    };
  }

  /** @returns whether there was an entry. */
  delete(name: ServerName): boolean {
    return this.#entries.delete(name);
  }

  clear(): void {
    this.#entries.clear();
  }

  /** The names that are kept, in no order. Does not update recency. */
  names(): IterableIterator<ServerName> {
    return this.#entries.keys();
  }

  /** The names known to be absent now, most recently used first, at most `limit` of them. */
  absentNames(limit: number): ServerName[] {
    const nowMs = this.#now();
    const names: ServerName[] = [];
    for (const [name, entry] of this.#entries.entries()) {
      if (names.length >= limit) break;
      if (entry.kind === 'absent' && nowMs < entry.expiresAtMs) names.push(name);
    }
    return names;
  }

  /** Changes the bound. The most recently used entries stay, in their order. */
  resize(maxItems: number): void {
    this.#entries = resizedLru(this.#entries, maxItems);
  }
}
