/**
 * Renewals that nobody has primed: in the last third of a certificate's life that came from a copy (Redis), the authority (the
 * manager) is asked behind the scenes, at most hourly a name. Its answer also brings the copy up to date.
 *
 * It orders nothing, and withdraws nothing: only another certificate that is as good is taken over, and only as long as what it
 * knew at the beginning is still so. It is a look-up like any other to the authority's rate limit; one that gets no token, or is
 * overtaken, is tried again at the next occasion.
 */
import { growingLru } from '../base/growing-lru.js';
import type { PemCache } from '../caches/pem-cache.js';
import type { CertificateBundle } from '../domain/certificate.js';
import type { Clock } from '../base/clock.js';
import { describeError } from '../domain/errors.js';
import { TIER_CACHE } from '../domain/lookup.js';
import type { ServerName } from '../domain/server-name.js';
import type { Logger } from '../log/logger.js';
import type { CertificateSource } from '../sources/source.js';
import { Candidates } from './candidates.js';
import type { ServableCertificates } from './servable.js';

export interface RenewalCheckParts {
  readonly pem: PemCache;
  readonly log: Logger;
  readonly clock: Clock;
}

const INTERVAL_MS = 3_600_000;
/** Names remembered; one that is forgotten is asked for sooner. */
const MAX_NAMES = 100_000;

export class RenewalChecks {
  readonly #parts: RenewalCheckParts;
  readonly #servable: ServableCertificates;
  readonly #signal: AbortSignal;
  /** When each name was asked for, by the clock for durations. */
  readonly #askedAtMs = growingLru<ServerName, number>(MAX_NAMES);
  /** Raised by whatever overtakes the answers under way. */
  #epoch = 0;

  /** @param signal aborts when the resolver is closed. */
  constructor(parts: RenewalCheckParts, servable: ServableCertificates, signal: AbortSignal) {
    this.#parts = parts;
    this.#servable = servable;
    this.#signal = signal;
  }

  /** Something was expired, or a source has something new: answers to questions that were put before do not count. */
  overtake(): void {
    this.#epoch++;
  }

  /**
   * Asks the authority for a name whose certificate came from elsewhere, if it is time. Returns at once.
   *
   * @param found what a look-up has just come to, without the authority.
   * @param cacheMs how long a certificate that is taken over is fresh.
   */
  consider(
    name: ServerName,
    found: { readonly certificate: CertificateBundle; readonly tier: string },
    sources: readonly CertificateSource[],
    cacheMs: number,
  ): void {
    const origin = sources.find((source) => source.name === found.tier);
    const authority = sources.find(({ role }) => role === 'authority');
    if (origin?.role !== 'copy' || authority === undefined || !this.#isDue(name, found.certificate)) return;
    this.#askedAtMs.set(name, this.#parts.clock.now());
    void this.#ask(name, found.certificate, authority, cacheMs);
  }

  #isDue(name: ServerName, { notBeforeMs, notAfterMs }: CertificateBundle): boolean {
    const { clock } = this.#parts;
    if (clock.date() < notAfterMs - (notAfterMs - notBeforeMs) / 3) return false;
    const askedAtMs = this.#askedAtMs.get(name);
    return askedAtMs === undefined || clock.now() - askedAtMs >= INTERVAL_MS;
  }

  async #ask(
    name: ServerName,
    known: CertificateBundle,
    authority: CertificateSource,
    cacheMs: number,
  ): Promise<void> {
    const { pem, log, clock } = this.#parts;
    const epoch = this.#epoch;
    try {
      const lookup = await authority.lookup(name, { signal: this.#signal, known: true, mayOrder: false });
      const isOvertaken = epoch !== this.#epoch;
      if (lookup.kind === 'pending' || isOvertaken) this.#askedAtMs.delete(name);
      if (isOvertaken || lookup.kind !== 'found') return;
      const candidates = new Candidates(name, clock.date(), this.#servable);
      for (const pair of lookup.candidates.flat()) candidates.add(pair, authority.name);
      if (!candidates.isGood) return;
      // It may have one half of a pair, and another source the other.
      for (const half of known.pairs) candidates.add(half, TIER_CACHE, { isLate: true });
      const best = candidates.best();
      if (best === undefined || best.bundle.fingerprint === known.fingerprint) return;
      // Meanwhile it may have been looked up once more.
      if (pem.get(name)?.entry.certificate.fingerprint !== known.fingerprint) return;
      pem.set(name, best.bundle, authority.name, cacheMs);
      log.notice('a renewed certificate was found at the authority', {
        name,
        tier: authority.name,
        fingerprint: best.leaves.join(','),
      });
    } catch (thrown) {
      log.err('look-up failed', { name, error: describeError(thrown) });
    }
  }
}
