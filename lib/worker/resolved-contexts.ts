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
import { describeError } from '../domain/errors.js';
import { TIER_CACHE, TIER_LRU, type Resolution, type Tier, type Told } from '../domain/lookup.js';
import type { ServerName } from '../domain/server-name.js';
import type { Logger } from '../log/logger.js';
import { buildContext } from '../tls/secure-context.js';
import type { SessionTickets } from '../tls/session-tickets.js';
import type { ChosenCertificate } from '../tls/terminate.js';

/** A context of the LRU. */
export type LruEntry = ContextEntry<SecureContext>;

export interface ResolvedContextsParts {
  readonly cache: SecureContextCache<SecureContext>;
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

/** What a handshake is served from the LRU; undefined where the LRU has nothing. */
export function choiceOf(entry: LruEntry | undefined): ChosenCertificate | undefined {
  return entry === undefined ? undefined : { context: entry.context, tier: TIER_LRU };
}

export class ResolvedContexts {
  readonly #parts: ResolvedContextsParts;
  readonly #cache: SecureContextCache<SecureContext>;

  constructor(parts: ResolvedContextsParts) {
    this.#parts = parts;
    this.#cache = parts.cache;
  }

  /**
   * Keeps what the primary said, and says what to serve; undefined for the default.
   *
   * @param stale what the LRU had of the name when the primary was asked.
   * @param mayKeep false once the answer has been overtaken: what is in the LRU now is newer.
   */
  take(
    name: ServerName,
    { value: resolution, atMs }: Told<Resolution>,
    stale: LruEntry | undefined,
    mayKeep: boolean,
  ): ChosenCertificate | RefusedCertificate | undefined {
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
          cache.setContext(
            name,
            { context, fingerprint, leaves, tier, notAfterMs, missingKind },
            keepMs(notAfterMs),
          );
          keepNoHalf(noHalfMs);
        }
        return { context, tier };
      }
      case 'unchanged': {
        if (stale === undefined) return undefined;
        if (mayKeep && limitMs > 0) {
          cache.refresh(name, keepMs(stale.notAfterMs), resolution.tier);
          keepNoHalf(resolution.noHalfMs);
        }
        return { context: stale.context, tier: resolution.tier };
      }
      case 'absent':
        if (mayKeep) cache.setNegative(name, { kind: 'absent' }, keepMs());
        return undefined;
      case 'unavailable':
        if (mayKeep) cache.setNegative(name, { kind: 'error', reason: resolution.reason }, keepMs());
        return undefined;
      case 'pending': {
        const { lastGood } = resolution;
        if (lastGood === undefined) return undefined;
        if (lastGood.kind === 'unchanged') return choiceOf(stale);
        const context = this.#build(name, lastGood.certificate, TIER_CACHE);
        return context instanceof RefusedCertificate ? undefined : { context, tier: TIER_CACHE };
      }
    }
  }

  /** Keeps, for `errorCacheDurationMs`, that no certificate of a name can be served: its handshakes get the default. */
  refuse(name: ServerName, reason: string): void {
    this.#cache.setNegative(name, { kind: 'error', reason }, this.#parts.settings().errorCacheDurationMs);
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
