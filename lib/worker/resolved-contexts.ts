/**
 * From the primary's answer to a secure context: it is built here, and kept in the worker's LRU for as long as the answer is good.
 *
 * That is `lruCacheDurationMs` from when it was given, however late it was read, or less: where the primary says so, and where the
 * certificate expires before. That a name has no certificate, or none of a kind of key, is kept likewise.
 */
import type { SecureContext } from 'node:tls';
import type { Clock } from '../base/clock.js';
import type { ContextEntry, SecureContextCache } from '../caches/secure-context-cache.js';
import type { WorkerSettings } from '../config/worker-settings.js';
import { kindMissingIn, type CertificateBundle } from '../domain/certificate.js';
import type { DefaultReason } from '../domain/default-reason.js';
import { describeError } from '../domain/errors.js';
import { TIER_CACHE, TIER_LRU, type Resolution, type Tier, type Told } from '../domain/lookup.js';
import type { ServerName } from '../domain/server-name.js';
import type { Logger } from '../log/logger.js';
import { buildContext } from '../tls/secure-context.js';
import type { SessionTickets } from '../tls/session-tickets.js';
import type { ChosenCertificate } from '../tls/terminate.js';

/** A context of the LRU. */
export type LruEntry = ContextEntry<ChosenCertificate>;

/** What a handshake is served: a certificate of its name, or the default for this reason. */
export type Choice = ChosenCertificate | DefaultReason;

export interface ResolvedContextsParts {
  readonly cache: SecureContextCache<ChosenCertificate>;
  readonly tickets: SessionTickets;
  readonly log: Logger;
  readonly clock: Clock;
  /** Asked anew each time: a reload changes them. */
  settings(): Pick<WorkerSettings, 'lruCacheDurationMs' | 'errorCacheDurationMs'>;
}

/** A certificate that OpenSSL refuses to serve. */
export class RefusedCertificate {
  constructor(
    readonly fingerprint: string,
    readonly reason: string,
  ) {}
}

export class ResolvedContexts {
  readonly #parts: ResolvedContextsParts;
  readonly #cache: SecureContextCache<ChosenCertificate>;

  constructor(parts: ResolvedContextsParts) {
    this.#parts = parts;
    this.#cache = parts.cache;
  }

  /**
   * Keeps what the primary said, and says what to serve.
   *
   * @param stale what the LRU had of the name when the primary was asked.
   * @param mayKeep false once the answer has been overtaken: what is in the LRU now is newer.
   */
  take(
    name: ServerName,
    { value: resolution, atMs }: Told<Resolution>,
    stale: LruEntry | undefined,
    mayKeep: boolean,
  ): Choice | RefusedCertificate {
    const cache = this.#cache;
    const limitMs = 'keepMs' in resolution ? (resolution.keepMs ?? Infinity) : Infinity;
    const ageMs = this.#parts.clock.now() - atMs;
    const untilOldMs = (durationMs: number): number => Math.max(0, durationMs - ageMs);
    const lruMs = this.#parts.settings().lruCacheDurationMs;
    const keepMs = (notAfterMs = Infinity): number => {
      const validMs = notAfterMs - this.#parts.clock.date();
      // An expired certificate that is served for want of a better one has a `keepMs` of its own.
      return Math.min(untilOldMs(Math.min(lruMs, limitMs)), validMs > 0 ? validMs : Infinity);
    };
    const keepNoHalf = (noHalfMs: number | undefined): void => {
      // Undefined: nobody has asked for it.
      if (noHalfMs !== undefined) cache.setNoHalf(name, untilOldMs(Math.min(noHalfMs, lruMs)));
    };
    switch (resolution.kind) {
      case 'found': {
        const { certificate, tier, noHalfMs } = resolution;
        const { fingerprint, notAfterMs } = certificate;
        const context = this.#build(name, certificate, tier);
        if (context instanceof RefusedCertificate) return context;
        const missingKind = kindMissingIn(certificate);
        if (mayKeep && limitMs > 0) {
          const leaves = certificate.pairs.map(({ leafFingerprint }) => leafFingerprint);
          const served = { context, tier: TIER_LRU };
          cache.setContext(
            name,
            { served, fingerprint, leaves, tier, notAfterMs, missingKind },
            keepMs(notAfterMs),
          );
          keepNoHalf(noHalfMs);
        }
        return { context, tier };
      }
      case 'unchanged': {
        if (stale === undefined) return 'unavailable';
        if (mayKeep && limitMs > 0) {
          cache.refresh(name, keepMs(stale.notAfterMs), resolution.tier);
          keepNoHalf(resolution.noHalfMs);
        }
        return { context: stale.served.context, tier: resolution.tier };
      }
      case 'absent':
        if (mayKeep) cache.setNegative(name, { kind: 'absent' }, keepMs());
        return 'absent';
      case 'unavailable':
        if (mayKeep) cache.setNegative(name, { kind: 'error', reason: resolution.reason }, keepMs());
        return 'unavailable';
      case 'pending': {
        const { lastGood, waitsFor = 'pending' } = resolution;
        if (lastGood === undefined) return waitsFor;
        if (lastGood.kind === 'unchanged') return stale?.served ?? waitsFor;
        const context = this.#build(name, lastGood.certificate, TIER_CACHE);
        return context instanceof RefusedCertificate ? 'refused-by-openssl' : { context, tier: TIER_CACHE };
      }
    }
  }

  /** Keeps, for `errorCacheDurationMs`, that no certificate of a name can be served: its handshakes get the default. */
  refuse(name: ServerName, reason: string): void {
    this.#cache.setNegative(name, { kind: 'refused', reason }, this.#parts.settings().errorCacheDurationMs);
  }

  #build(name: ServerName, certificate: CertificateBundle, tier: Tier): SecureContext | RefusedCertificate {
    try {
      return buildContext(certificate, this.#parts.tickets);
    } catch (thrown) {
      const error = describeError(thrown);
      this.#parts.log.err('certificate cannot be served', { name, tier, error });
      return new RefusedCertificate(certificate.fingerprint, error);
    }
  }
}
