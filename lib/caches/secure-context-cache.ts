/**
 * A worker's cache of parsed certificates, and of names that have none.
 *
 * Positive entries are bounded in *names*. A stale one stays until it is evicted: it is the last good certificate of its
 * name, and its fingerprint saves parsing an unchanged one again. Negative answers live in a bounded store of their own,
 * so that junk names push out no context.
 *
 * A negative answer withdraws the context of its name: the primary, which gives it, keeps the last good certificate itself,
 * and one that was expired by hand must not come back from here.
 *
 * `get` is on every handshake's path: a hit is one look-up and creates nothing.
 */
import type { LRUCache } from 'lru-cache';
import { growingLru, resizedLru } from '../base/growing-lru.js';
import type { WorkerFacts } from '../domain/inspection.js';
import type { KeyKind } from '../domain/key-class.js';
import type { Tier } from '../domain/lookup.js';
import { withThoseBelow, type ServerName } from '../domain/server-name.js';
import { NegativeCache, type Negative } from './negative-cache.js';

/** `C` is what a handshake is served with, whole, so that a hit need make nothing: for a worker a context with its tier. */
export interface ContextEntry<C> {
  readonly served: C;
  /** The fingerprint of the certificate in the context. */
  readonly fingerprint: string;
  /** SHA-256 of each leaf in it: as other tools print it. */
  readonly leaves: readonly string[];
  /** The tier that had it. */
  readonly tier: Tier;
  /** Until when the certificate is valid, milliseconds since 1970. */
  readonly notAfterMs: number;
  /** The kind of key that it lacks, where it has one kind alone. */
  readonly missingKind: KeyKind | undefined;
  /** When it was stored, or found unchanged; this and the next by the cache's own clock. */
  readonly sinceMs: number;
  readonly freshUntilMs: number;
  /** Until this time nobody asks for the half with the missing kind of key; by the same clock. */
  readonly noHalfUntilMs: number;
}

/** What a context is stored with. */
export type NewContext<C> = Omit<ContextEntry<C>, 'sinceMs' | 'freshUntilMs' | 'noHalfUntilMs'>;

export type ContextHit<C> =
  | { readonly state: 'fresh' | 'stale'; readonly entry: ContextEntry<C> }
  | { readonly state: 'negative'; readonly kind: Negative['kind'] };

export interface SecureContextCacheOptions {
  /** The most names with a context, a whole number above 0. */
  readonly maxNames: number;
  /** The most names without one, a whole number above 0. */
  readonly maxNegatives: number;
  /** Milliseconds from any origin: a clock for durations. */
  readonly now: () => number;
  /** Told of each context that is dropped for want of room. */
  readonly onEvict?: () => void;
}

type MutableEntry<C> = { -readonly [Key in keyof ContextEntry<C>]: ContextEntry<C>[Key] };

interface Slot<C> {
  readonly entry: MutableEntry<C>;
  /** What `get` returns while it is fresh: made once, so that a hit creates nothing. */
  readonly fresh: ContextHit<C>;
  readonly stale: ContextHit<C>;
}

const NEGATIVES: Readonly<Record<Negative['kind'], ContextHit<never>>> = {
  absent: { state: 'negative', kind: 'absent' },
  error: { state: 'negative', kind: 'error' },
  refused: { state: 'negative', kind: 'refused' },
};

export class SecureContextCache<C> {
  readonly #now: () => number;
  readonly #negatives: NegativeCache;
  readonly #onEvict: (() => void) | undefined;
  #slots: LRUCache<ServerName, Slot<C>>;

  constructor({ maxNames, maxNegatives, now, onEvict }: SecureContextCacheOptions) {
    this.#now = now;
    this.#onEvict = onEvict;
    this.#slots = growingLru(maxNames, { onEvict });
    this.#negatives = new NegativeCache({ maxItems: maxNegatives, now });
  }

  /** How many names have a context, fresh or stale. */
  get size(): number {
    return this.#slots.size;
  }

  /** How many names are known to have none. */
  get negativeSize(): number {
    return this.#negatives.size;
  }

  /** What is known of a name. Counts as a use of it. Undefined: nothing, it has to be resolved. */
  get(name: ServerName): ContextHit<C> | undefined {
    const slot = this.#slots.get(name);
    if (slot === undefined) {
      const negative = this.#negatives.get(name);
      return negative === undefined ? undefined : NEGATIVES[negative.kind];
    }
    return this.#now() < slot.entry.freshUntilMs ? slot.fresh : slot.stale;
  }

  /** What is known of a name, for a person. Does not update recency. */
  inspect(name: ServerName): Pick<WorkerFacts, 'cached' | 'negative'> {
    const entry = this.#slots.peek(name)?.entry;
    if (entry === undefined) {
      const negative = this.#negatives.inspect(name);
      return negative === undefined ? {} : { negative };
    }
    const nowMs = this.#now();
    const leftMs = Math.max(0, entry.freshUntilMs - nowMs);
    return {
      cached: {
        state: leftMs > 0 ? 'fresh' : 'stale',
        ageMs: nowMs - entry.sinceMs,
        leftMs,
        tier: entry.tier,
        fingerprints: entry.leaves,
        notAfterMs: entry.notAfterMs,
      },
    };
  }

  /** Stores a context, fresh for `ttlMs` (0: stale from the start), in place of what was known of the name. */
  setContext(name: ServerName, found: NewContext<C>, ttlMs: number): void {
    const sinceMs = this.#now();
    const entry = { ...found, sinceMs, freshUntilMs: sinceMs + ttlMs, noHalfUntilMs: -Infinity };
    this.#slots.set(name, {
      entry,
      fresh: { state: 'fresh', entry },
      stale: { state: 'stale', entry },
    });
    this.#negatives.delete(name);
  }

  /**
   * Makes a context fresh again for `ttlMs`: its certificate was found unchanged.
   *
   * @param tier the tier that said so; absent leaves the earlier one.
   * @returns false if the context has been evicted meanwhile: the name has to be resolved without a fingerprint.
   */
  refresh(name: ServerName, ttlMs: number, tier?: Tier): boolean {
    const slot = this.#slots.peek(name);
    if (slot === undefined) return false;
    slot.entry.sinceMs = this.#now();
    slot.entry.freshUntilMs = slot.entry.sinceMs + ttlMs;
    if (tier !== undefined) slot.entry.tier = tier;
    return true;
  }

  /** Remembers for `ttlMs` that there is no half with the kind of key that a name's context lacks. */
  setNoHalf(name: ServerName, ttlMs: number): void {
    const slot = this.#slots.peek(name);
    if (slot !== undefined) slot.entry.noHalfUntilMs = this.#now() + ttlMs;
  }

  /** Remembers for `ttlMs` (0: not at all) that a name has no certificate, that nobody could tell, or that none can be served. */
  setNegative(name: ServerName, negative: Negative, ttlMs: number): void {
    this.#slots.delete(name);
    if (ttlMs > 0) this.#negatives.set(name, negative, ttlMs);
  }

  /** Forgets all that is known of a name; of a wildcard, also of the names below it. @returns whether anything was. */
  delete(name: ServerName): boolean {
    const negatives = [...withThoseBelow([name], this.#negatives.names())].filter((one) =>
      this.#negatives.delete(one),
    );
    const contexts = [...withThoseBelow([name], this.#slots.keys())].filter((one) => this.#slots.delete(one));
    return negatives.length + contexts.length > 0;
  }

  /**
   * These names, or (undefined) all, are to be looked up afresh; their contexts stay, as stale ones. A wildcard stands for the
   * names below it, too.
   */
  makeStale(names: readonly ServerName[] | undefined): void {
    if (names === undefined) {
      for (const { entry } of this.#slots.values()) entry.freshUntilMs = -Infinity;
      this.#negatives.clear();
      return;
    }
    for (const name of withThoseBelow(names, this.#slots.keys())) {
      const slot = this.#slots.peek(name);
      if (slot !== undefined) slot.entry.freshUntilMs = -Infinity;
    }
    for (const name of withThoseBelow(names, this.#negatives.names())) this.#negatives.delete(name);
  }

  clear(): void {
    this.#slots.clear();
    this.#negatives.clear();
  }

  /** Changes the bounds. The most recently used entries stay, in their order. */
  resize(maxNames: number, maxNegatives: number): void {
    this.#negatives.resize(maxNegatives);
    this.#slots = resizedLru(this.#slots, maxNames, { onEvict: this.#onEvict });
  }
}
