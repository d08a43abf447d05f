/**
 * What the PEM cache keeps of a name, and what is left of it at a date. PURE.
 */
import { bundleOf, type CertificateBundle, type CertificateHalf } from '../domain/certificate.js';
import type { Tier } from '../domain/lookup.js';
import type { ServerName } from '../domain/server-name.js';
import { ChainStore } from './chain-store.js';

/** What is known of a name. */
export interface PemEntry {
  readonly certificate: CertificateBundle;
  /** The source that it came from. */
  readonly origin: Tier;
  /** How much longer it is fresh, milliseconds; 0 where it is retained. */
  readonly freshForMs: number;
  /** It is kept because no better one is there: nobody may keep it longer than it is fresh here. */
  readonly isProvisional: boolean;
}

export interface PemHit {
  readonly entry: PemEntry;
  /** `retained`: to be looked up afresh, and served only while that fails. */
  readonly state: 'fresh' | 'retained';
}

export interface StoredHalf extends Omit<CertificateHalf, 'chainPem'> {
  readonly leafPem: string;
  readonly intermediatesPem: string;
}

export interface Slot {
  readonly halves: readonly StoredHalf[];
  readonly fingerprint: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** It was outside its dates when it came: no half of it disappears by itself. */
  readonly isOutdated: boolean;
  readonly origin: Tier;
  readonly isProvisional: boolean;
  /** This and the next by the clock for durations. */
  readonly storedAtMs: number;
  freshUntilMs: number;
  /** Since when every source has said that there is none, by the same clock. */
  absentSinceMs: number | undefined;
}

/** What an entry costs beside its texts: slot, pairs, the cache's own arrays. An estimate. */
const OVERHEAD_BYTES = 512;

export function sizeWithoutChains(name: ServerName, slot: Slot): number {
  let size = OVERHEAD_BYTES + name.length;
  for (const { leafPem, keyPem } of slot.halves) size += leafPem.length + keyPem.length;
  return size;
}

/** The room that an entry takes if no other shares its intermediates. */
export function sizeAlone(name: ServerName, slot: Slot): number {
  let size = sizeWithoutChains(name, slot);
  for (const pem of new Set(slot.halves.map(({ intermediatesPem }) => intermediatesPem))) {
    size += ChainStore.costOf(pem);
  }
  return size;
}

/** Whether a half is there at a date. */
export function isLeft(slot: Slot, { notAfterMs }: StoredHalf, dateMs: number): boolean {
  return slot.isOutdated || dateMs < notAfterMs;
}

/** When the first of the halves ends that have not ended; infinity where all have. */
export function nextEndMs({ halves }: Slot, dateMs: number): number {
  let soonestMs = Infinity;
  for (const { notAfterMs } of halves)
    if (notAfterMs > dateMs && notAfterMs < soonestMs) soonestMs = notAfterMs;
  return soonestMs;
}

/** One of which a half has gone is to be looked up afresh: that half may have been renewed. */
export function isFresh(slot: Slot, nowMs: number, dateMs: number): boolean {
  return nowMs < slot.freshUntilMs && (slot.isOutdated || dateMs < slot.notAfterMs);
}

/** What is left of an entry at a date; undefined where nothing is. */
export function hitOf(slot: Slot, nowMs: number, dateMs: number): PemHit | undefined {
  const { halves, fingerprint, notBeforeMs, notAfterMs, origin, isProvisional, freshUntilMs } = slot;
  const pairs = halves
    .filter((half) => isLeft(slot, half, dateMs))
    .map(({ leafPem, intermediatesPem, ...half }) => ({ ...half, chainPem: leafPem + intermediatesPem }));
  if (pairs.length === 0) return undefined;
  const fresh = isFresh(slot, nowMs, dateMs);
  return {
    entry: {
      certificate:
        pairs.length === halves.length ? { pairs, fingerprint, notBeforeMs, notAfterMs } : bundleOf(pairs),
      origin,
      isProvisional,
      freshForMs: fresh ? freshUntilMs - nowMs : 0,
    },
    state: fresh ? 'fresh' : 'retained',
  };
}
