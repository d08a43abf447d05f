/**
 * Steps 1 and 2 of the order in `resolver.ts`: what the caches know of a name, so that no source need be asked.
 */
import type { Clock } from '../base/clock.js';
import type { NegativeCache } from '../caches/negative-cache.js';
import type { PemCache } from '../caches/pem-cache.js';
import { TIER_CACHE, type Resolution, type ResolveRequest } from '../domain/lookup.js';
import type { ServerName } from '../domain/server-name.js';
import { answer } from './answer.js';
import type { ResolverObserver } from './observer.js';

export interface Caches {
  readonly pem: PemCache;
  readonly negative: NegativeCache;
  readonly clock: Clock;
  readonly observer?: ResolverObserver;
}

/** @returns undefined where neither cache knows enough, and the name is to be looked up. */
export function fromCaches(
  name: ServerName,
  request: ResolveRequest,
  { pem, negative, clock, observer }: Caches,
): Resolution | undefined {
  const cached = pem.get(name);
  observer?.onPemCache(cached?.state ?? 'miss');
  if (cached?.state === 'fresh') {
    const { certificate, freshForMs, isProvisional, origin } = cached.entry;
    const keeping = isProvisional ? { keepMs: freshForMs } : {};
    // An order may have ended before its starter came back for it: who waits for it is not told that it was here all the time.
    const tier = request.phase === 'order' ? origin : TIER_CACHE;
    return answer({ kind: 'found', certificate, tier, ...keeping }, request);
  }
  const known = negative.get(name);
  if (known === undefined || known.kind === 'refused') return undefined;
  observer?.onNegativeHit(known.kind);
  if (known.kind === 'absent') return { kind: 'absent', tier: TIER_CACHE };
  const keepMs = known.expiresAtMs - clock.now();
  if (cached === undefined) return { kind: 'unavailable', reason: known.reason, keepMs };
  observer?.onStale(known.isGrace === true ? 'absent-grace' : 'unavailable');
  const { certificate } = cached.entry;
  return answer({ kind: 'found', certificate, tier: TIER_CACHE, keepMs }, request);
}
