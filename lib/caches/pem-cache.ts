/**
 * The primary's cache of certificates, bounded in bytes.
 *
 * An entry is *fresh* for a fixed time from its insertion (never longer because it was used) and *retained* from then on:
 * good enough to serve while no source can be asked. Of one that was valid when it was stored each half (RSA or ECDSA) is gone
 * at its own `notAfter`, and the entry with the last of them; what is left of it is retained. One stored outside its dates,
 * because no source has a better one, stays until it is evicted. When room is needed the least recently used entry goes, fresh
 * or not.
 *
 * Size: an entry counts the characters of its leaf certificates, its keys and its name, and a fixed sum for the objects
 * around them. Intermediates are kept and counted once, however many entries share them (see chain-store), and are part
 * of the same bound.
 */
import { LRUCache } from 'lru-cache';
import { datesProblem, type CertificateBundle, type CertificateHalf } from '../domain/certificate.js';
import type { Clock } from '../base/clock.js';
import type { PrimaryFacts } from '../domain/inspection.js';
import { leafFactsOf } from '../domain/leaf-facts.js';
import type { Tier } from '../domain/lookup.js';
import type { ServerName } from '../domain/server-name.js';
import type { CertificateStatus } from '../domain/status-report.js';
import { ChainStore, flatCopy } from './chain-store.js';
import {
  hitOf,
  isFresh,
  isLeft,
  nextEndMs,
  sizeAlone,
  sizeWithoutChains,
  type PemHit,
  type Slot,
  type StoredHalf,
} from './pem-slot.js';

export interface PemCacheOptions {
  /** The bound, a whole number of bytes above 0. */
  readonly maxBytes: number;
  readonly clock: Clock;
  /** Told of each name that lost a fresh entry for want of room, the sign of a cache that is too small. */
  readonly onEvictFresh?: (name: ServerName) => void;
}

/** One certificate of an entry, unread: nothing is put together or parsed for it. */
export interface KeptHalf {
  readonly tier: Tier;
  readonly leafFingerprint: string;
  readonly notAfterMs: number;
  readonly leafPem: string;
  readonly intermediatesPem: string;
}

const END_OF_CERTIFICATE = '-----END CERTIFICATE-----\n';
/** A time in the past, whatever the clock says. */
const LAPSED = -Infinity;

export class PemCache {
  readonly #clock: Clock;
  readonly #onEvictFresh: ((name: ServerName) => void) | undefined;
  readonly #chains = new ChainStore();
  #slots: LRUCache<ServerName, Slot>;

  constructor({ maxBytes, clock, onEvictFresh }: PemCacheOptions) {
    this.#clock = clock;
    this.#onEvictFresh = onEvictFresh;
    this.#slots = this.#newSlots(maxBytes);
  }

  /**
   * Stores a certificate in place of what was known of the name.
   *
   * @param freshMs how long it is fresh. A certificate within its dates is not fresh beyond its `notAfter`.
   * @param isProvisional see `PemEntry`.
   * @returns false if it is larger than the whole cache. Then nothing is kept of the name, and `onEvictFresh` is told.
   */
  set(
    name: ServerName,
    certificate: CertificateBundle,
    origin: Tier,
    freshMs: number,
    isProvisional = false,
  ): boolean {
    const nowMs = this.#clock.now();
    const { fingerprint, notBeforeMs, notAfterMs } = certificate;
    const slot: Slot = {
      halves: certificate.pairs.map((half) => this.#store(half)),
      fingerprint,
      notBeforeMs,
      notAfterMs,
      isOutdated: datesProblem(certificate, this.#clock.date()) !== undefined,
      origin,
      isProvisional,
      storedAtMs: nowMs,
      freshUntilMs: nowMs + freshMs,
      absentSinceMs: undefined,
    };
    if (sizeAlone(name, slot) > this.#slots.maxSize) {
      this.#release(slot);
      this.#slots.delete(name);
      this.#onEvictFresh?.(name);
      return false;
    }
    this.#slots.set(name, slot);
    this.#makeRoom();
    return true;
  }

  /** What is known of a name. Counts as a use of it. */
  get(name: ServerName): PemHit | undefined {
    const slot = this.#slots.get(name);
    if (slot === undefined) return undefined;
    const hit = hitOf(slot, this.#clock.now(), this.#clock.date());
    if (hit === undefined) this.#slots.delete(name);
    return hit;
  }

  /** What is known of a name, for a person. Does not update recency. */
  inspect(name: ServerName): PrimaryFacts['cached'] {
    const slot = this.#slots.peek(name);
    const nowMs = this.#clock.now();
    if (slot === undefined) return undefined;
    const hit = hitOf(slot, nowMs, this.#clock.date());
    if (hit === undefined) return undefined;
    const { certificate, origin, freshForMs, isProvisional } = hit.entry;
    return {
      state: hit.state === 'fresh' ? 'fresh' : 'stale',
      ageMs: nowMs - slot.storedAtMs,
      leftMs: freshForMs,
      tier: origin,
      fingerprints: certificate.pairs.map(({ leafFingerprint }) => leafFingerprint),
      notAfterMs: certificate.notAfterMs,
      leaves: certificate.pairs.flatMap(({ chainPem }) => leafFactsOf(chainPem) ?? []),
      isProvisional,
      ...(slot.absentSinceMs !== undefined && { absentForMs: nowMs - slot.absentSinceMs }),
    };
  }

  /** From now on the entries of these names are retained: they are looked up afresh. */
  makeStale(names: Iterable<ServerName>): void {
    for (const name of names) {
      const slot = this.#slots.peek(name);
      if (slot !== undefined) slot.freshUntilMs = LAPSED;
    }
  }

  /** The names that are kept, in no order. Does not update recency. */
  names(): IterableIterator<ServerName> {
    return this.#slots.keys();
  }

  /** Notes that every source says that the name has none. @returns for how long they have said so, milliseconds. */
  noteAbsent(name: ServerName): number {
    const slot = this.#slots.peek(name);
    if (slot === undefined) return Infinity;
    const nowMs = this.#clock.now();
    slot.absentSinceMs ??= nowMs;
    return nowMs - slot.absentSinceMs;
  }

  /** For how long every source has said that the name has none, milliseconds; 0 where none has said so. */
  absentForMs(name: ServerName): number {
    const sinceMs = this.#slots.peek(name)?.absentSinceMs;
    return sinceMs === undefined ? 0 : this.#clock.now() - sinceMs;
  }

  /** @returns whether there was an entry, fresh or retained. */
  delete(name: ServerName): boolean {
    return this.#slots.delete(name);
  }

  /** Soft: everything is retained from now on. Hard: everything is gone. */
  flush({ hard }: { readonly hard: boolean }): void {
    if (hard) {
      this.#slots.clear();
      return;
    }
    for (const slot of this.#slots.values()) slot.freshUntilMs = LAPSED;
  }

  /** The names with a fresh entry, most recently used first, at most `limit` of them. Does not update recency. */
  freshNames(limit: number): ServerName[] {
    const nowMs = this.#clock.now();
    const dateMs = this.#clock.date();
    const names: ServerName[] = [];
    for (const [name, slot] of this.#slots.entries()) {
      if (names.length >= limit) break;
      if (isFresh(slot, nowMs, dateMs)) names.push(name);
    }
    return names;
  }

  /** Everything that is known, most recently used first. Does not update recency. */
  *entries(): IterableIterator<[ServerName, PemHit]> {
    const nowMs = this.#clock.now();
    const dateMs = this.#clock.date();
    for (const [name, slot] of this.#slots.entries()) {
      const hit = hitOf(slot, nowMs, dateMs);
      if (hit !== undefined) yield [name, hit];
    }
  }

  /** Every certificate that is kept, once for each name that has it. Does not update recency. */
  *halves(): IterableIterator<KeptHalf> {
    const dateMs = this.#clock.date();
    for (const slot of this.#slots.values()) {
      for (const half of slot.halves) {
        if (!isLeft(slot, half, dateMs)) continue;
        const { leafFingerprint, notAfterMs, leafPem, intermediatesPem } = half;
        yield { tier: slot.origin, leafFingerprint, notAfterMs, leafPem, intermediatesPem };
      }
    }
  }

  /** The certificates that end between two dates, the soonest first. Does not update recency. */
  endingBetween(fromMs: number, toMs: number): CertificateStatus[] {
    return this.#statusesOf(fromMs, ({ notAfterMs }) => fromMs < notAfterMs && notAfterMs <= toMs);
  }

  /** The certificates that are outside their dates, those that ended first coming first. Does not update recency. */
  outdated(dateMs: number): CertificateStatus[] {
    return this.#statusesOf(dateMs, (slot) => slot.isOutdated && datesProblem(slot, dateMs) !== undefined);
  }

  #statusesOf(dateMs: number, isWanted: (slot: Slot) => boolean): CertificateStatus[] {
    const statuses: CertificateStatus[] = [];
    for (const [name, slot] of this.#slots.entries()) {
      if (!isWanted(slot)) continue;
      const { origin: tier, notBeforeMs, notAfterMs } = slot;
      statuses.push({ name, tier, notAfterMs, ...(dateMs < notBeforeMs && { notBeforeMs }) });
    }
    return statuses.sort((a, b) => a.notAfterMs - b.notAfterMs);
  }

  /** `entries`: fresh and retained ones. `bytes`: as the module comment counts them, never above the bound. */
  stats(): { readonly entries: number; readonly bytes: number } {
    return { entries: this.#slots.size, bytes: this.#bytes() };
  }

  /** The bound, in bytes. */
  get maxBytes(): number {
    return this.#slots.maxSize;
  }

  /**
   * When the next half of each entry ends, of those that end soonest: milliseconds since 1970, ascending, at most `limit` of them.
   * `outdated`: how many entries are outside their dates, for want of better ones.
   */
  expiries(limit: number): { readonly soonestMs: readonly number[]; readonly outdated: number } {
    const dateMs = this.#clock.date();
    const soonestMs: number[] = [];
    let outdated = 0;
    for (const slot of this.#slots.values()) {
      if (slot.isOutdated && datesProblem(slot, dateMs) !== undefined) outdated += 1;
      const endMs = nextEndMs(slot, dateMs);
      if (soonestMs.length === limit && endMs >= (soonestMs.at(-1) ?? Infinity)) continue;
      if (endMs === Infinity) continue;
      soonestMs.push(endMs);
      soonestMs.sort((a, b) => a - b).splice(limit);
    }
    return { soonestMs, outdated };
  }

  /** Changes the bound. What still fits stays, in its order of use; what does not is evicted. */
  resize(maxBytes: number): void {
    if (maxBytes === this.#slots.maxSize) return;
    const old = this.#slots;
    this.#slots = this.#newSlots(maxBytes);
    // The least recently used first. The old map is dropped without being emptied: its shares in the chains move along.
    for (const [name, slot] of [...old.entries()].reverse()) {
      if (sizeAlone(name, slot) > maxBytes) {
        this.#release(slot);
        this.#reportEvicted(name, slot);
      } else {
        this.#slots.set(name, slot);
      }
    }
    this.#makeRoom();
  }

  #newSlots(maxBytes: number): LRUCache<ServerName, Slot> {
    return new LRUCache<ServerName, Slot>({
      maxSize: maxBytes,
      sizeCalculation: (slot, name) => sizeWithoutChains(name, slot),
      dispose: (slot) => this.#release(slot),
      disposeAfter: (slot, name, reason) => {
        if (reason === 'evict') this.#reportEvicted(name, slot);
      },
    });
  }

  #bytes(): number {
    return this.#slots.calculatedSize + this.#chains.bytes;
  }

  /** lru-cache bounds what it can count, an entry's own part; the shared part is added here. */
  #makeRoom(): void {
    while (this.#bytes() > this.#slots.maxSize && this.#slots.size > 1) this.#slots.pop();
  }

  #store({ chainPem, ...half }: CertificateHalf): StoredHalf {
    const end = chainPem.indexOf(END_OF_CERTIFICATE);
    const leafLength = end === -1 ? chainPem.length : end + END_OF_CERTIFICATE.length;
    return {
      ...half,
      leafPem: flatCopy(chainPem.slice(0, leafLength)),
      intermediatesPem: this.#chains.intern(chainPem.slice(leafLength)),
    };
  }

  #release(slot: Slot): void {
    for (const { intermediatesPem } of slot.halves) this.#chains.release(intermediatesPem);
  }

  #reportEvicted(name: ServerName, slot: Slot): void {
    if (this.#clock.now() < slot.freshUntilMs) this.#onEvictFresh?.(name);
  }
}
