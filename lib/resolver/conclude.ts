/**
 * The result of a look-up, and what is kept of it:
 *
 *   usable                    → found;   PEM cache, `certCacheDurationMs`
 *   only outdated ones        → a retained certificate that is still valid serves on; else the outdated one is found, for
 *                               `errorCacheDurationMs`, doubling up to a minute while nothing better comes
 *   no answer yet             → pending; nothing is kept
 *   a source could not tell   → error entry, `errorCacheDurationMs`; the retained certificate serves on, else unavailable
 *   every source said no      → a retained certificate that is valid serves on for `absentGraceMs`, looked up again meanwhile: an
 *                               emptied store must drop nobody. After that, and for a name that was purged by hand, absent;
 *                               negative store, `certCacheDurationMs`; the retained certificate is dropped
 */
import { growingLru } from '../base/growing-lru.js';
import type { NegativeCache } from '../caches/negative-cache.js';
import type { PemCache } from '../caches/pem-cache.js';
import { datesProblem, type CertificateBundle } from '../domain/certificate.js';
import type { Clock } from '../base/clock.js';
import { TIER_CACHE, type Tier } from '../domain/lookup.js';
import type { ServerName } from '../domain/server-name.js';
import type { Logger } from '../log/logger.js';
import type { Best } from './candidates.js';
import type { Gathered } from './gather.js';
import type { ResolverObserver } from './observer.js';

/** What is now known of the name. */
export type Outcome =
  | {
      readonly kind: 'found';
      readonly certificate: CertificateBundle;
      readonly tier: Tier;
      readonly keepMs?: number;
    }
  | { readonly kind: 'absent'; readonly tier: Tier; readonly keepMs?: number }
  | { readonly kind: 'unavailable'; readonly reason: string; readonly keepMs: number }
  | { readonly kind: 'pending'; readonly reason: string };

export interface ConclusionSettings {
  readonly certCacheDurationMs: number;
  readonly errorCacheDurationMs: number;
  /** How long a valid certificate serves on when every source says absent. 0: not at all. */
  readonly absentGraceMs: number;
}

export interface ConclusionParts {
  readonly pem: PemCache;
  readonly negative: NegativeCache;
  readonly log: Logger;
  readonly clock: Clock;
  readonly observer?: ResolverObserver;
}

/** A look-up that has come back. */
export interface Returned {
  readonly log: Logger;
  readonly gathered: Gathered;
  readonly best: Best | undefined;
  /** A part of it comes from a copy, of a name that was expired by hand, and the authority is silent: it counts until that can be asked. */
  readonly isProvisional: boolean;
  /** What is retained may serve on where every source says that there is none. */
  readonly hasGrace: boolean;
  /** The source that was asked last: it says `absent` for all. */
  readonly lastTier: Tier;
  /** False once an expire has overtaken the look-up: nothing is stored. */
  readonly mayKeep: boolean;
}

interface KeptError {
  readonly reason: string;
  readonly keepMs: number;
  readonly mayKeep: boolean;
  /** See `Negative`. */
  readonly isGrace: boolean;
}

/** How often, at the most, a name is looked up for which there is only something that should not last. */
const MAX_RETRY_MS = 60_000;
/** Names remembered whose certificate is outdated; one that is forgotten is looked up sooner. */
const MAX_OUTDATED = 100_000;

export class Conclusions {
  readonly #parts: ConclusionParts;
  readonly #outdated = growingLru<ServerName, { readonly fingerprint: string; readonly times: number }>(
    MAX_OUTDATED,
  );
  #settings: ConclusionSettings;

  constructor(parts: ConclusionParts, settings: ConclusionSettings) {
    this.#parts = parts;
    this.#settings = settings;
  }

  configure(settings: ConclusionSettings): void {
    this.#settings = settings;
  }

  /** Keeps what is to be kept, and says what is known now. */
  conclude(name: ServerName, returned: Returned): Outcome {
    const { gathered, best, mayKeep } = returned;
    const { waits } = gathered;
    const troubles = [...gathered.troubles];
    if (best !== undefined) {
      if (best.outdated === undefined) return this.#keepFound(name, best, returned);
      if (this.#validRetained(name) === undefined) return this.#keepOutdated(name, best, mayKeep);
      troubles.push(`${best.tier}: ${best.outdated}`);
    }
    if (waits.length > 0) return { kind: 'pending', reason: waits.join('; ') };
    return troubles.length > 0
      ? this.#keepTrouble(name, troubles.join('; '), returned)
      : this.#keepAbsent(name, returned);
  }

  /** What is kept of a name and valid now, fresh or not. */
  #validRetained(name: ServerName): CertificateBundle | undefined {
    const { pem, clock } = this.#parts;
    const certificate = pem.get(name)?.entry.certificate;
    return certificate === undefined || datesProblem(certificate, clock.date()) !== undefined
      ? undefined
      : certificate;
  }

  #keepFound(name: ServerName, best: Best, { log, isProvisional, mayKeep }: Returned): Outcome {
    const { pem, negative } = this.#parts;
    const { certCacheDurationMs, errorCacheDurationMs } = this.#settings;
    const { bundle: certificate, tier } = best;
    const keepMs = isProvisional ? errorCacheDurationMs : certCacheDurationMs;
    if (mayKeep) {
      pem.set(name, certificate, tier, keepMs, isProvisional);
      negative.delete(name);
      this.#outdated.delete(name);
    }
    log.info('certificate found', { name, tier, fingerprint: best.leaves.join(',') });
    return { kind: 'found', certificate, tier, ...(isProvisional && { keepMs }) };
  }

  #keepOutdated(name: ServerName, { bundle: certificate, tier }: Best, mayKeep: boolean): Outcome {
    const { pem, negative } = this.#parts;
    const { fingerprint } = certificate;
    const earlier = this.#outdated.get(name);
    const times = earlier?.fingerprint === fingerprint ? earlier.times + 1 : 0;
    const { errorCacheDurationMs } = this.#settings;
    const keepMs = Math.min(errorCacheDurationMs * 2 ** times, Math.max(errorCacheDurationMs, MAX_RETRY_MS));
    if (mayKeep) {
      pem.set(name, certificate, tier, keepMs, true);
      negative.delete(name);
      this.#outdated.set(name, { fingerprint, times });
    }
    return { kind: 'found', certificate, tier, keepMs };
  }

  #keepTrouble(name: ServerName, reason: string, { log, gathered, mayKeep }: Returned): Outcome {
    const { pem } = this.#parts;
    const keepMs = this.#settings.errorCacheDurationMs;
    const retained = pem.get(name)?.entry.certificate;
    const fields = { name, reason, servedOn: retained !== undefined };
    if (gathered.isOwnTrouble) log.notice('no source could tell', fields);
    else log.info('no source could tell', fields);
    return this.#keepError(name, { reason, keepMs, mayKeep, isGrace: false });
  }

  #keepAbsent(name: ServerName, { log, hasGrace, lastTier, mayKeep }: Returned): Outcome {
    const { pem, negative } = this.#parts;
    const { absentGraceMs, certCacheDurationMs } = this.#settings;
    const absentForMs = mayKeep ? pem.noteAbsent(name) : 0;
    if (hasGrace && absentForMs < absentGraceMs && this.#validRetained(name) !== undefined) {
      const leftMs = absentGraceMs - absentForMs;
      if (mayKeep && absentForMs === 0) {
        log.notice(
          'every source says that the name has no certificate: the last one is served on meanwhile',
          {
            name,
            graceMs: leftMs,
          },
        );
      }
      const keepMs = Math.min(certCacheDurationMs, MAX_RETRY_MS, leftMs);
      return this.#keepError(name, {
        reason: 'every source says that there is none',
        keepMs,
        mayKeep,
        isGrace: true,
      });
    }
    if (mayKeep) {
      negative.set(name, { kind: 'absent' }, certCacheDurationMs);
      pem.delete(name);
      this.#outdated.delete(name);
    }
    log.info('no certificate', { name });
    return { kind: 'absent', tier: lastTier };
  }

  /** Leaves the name alone for a while; what is retained serves on. */
  #keepError(name: ServerName, { reason, keepMs, mayKeep, isGrace }: KeptError): Outcome {
    const { pem, negative, observer } = this.#parts;
    if (mayKeep) negative.set(name, { kind: 'error', reason, ...(isGrace && { isGrace }) }, keepMs);
    const retained = pem.get(name)?.entry.certificate;
    if (retained === undefined) return { kind: 'unavailable', reason, keepMs };
    observer?.onStale(isGrace ? 'absent-grace' : 'unavailable');
    return { kind: 'found', certificate: retained, tier: TIER_CACHE, keepMs };
  }
}
