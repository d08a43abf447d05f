/**
 * The look-up order. In the primary; asked by the workers over the bus.
 *
 *  1. PEM cache, fresh: that certificate.
 *  2. Negative store: "there is none" (absent), or "nobody could tell a moment ago" (error), in which case the retained
 *     certificate serves on.
 *  3. A look-up of this name under way: join it. One flight a name for the whole machine.
 *  4. The sources, in their order, until one has a certificate that may be served. Each candidate is examined: an
 *     unusable one is logged and the next is tried; one that is outdated is kept in reserve.
 *  5. What it comes to, and what is kept (DESIGN's result table):
 *       usable                    → found;   PEM cache, `certCacheDurationMs`
 *       only outdated ones        → a retained certificate that is still valid serves on; else the outdated one is found,
 *                                   for `errorCacheDurationMs`
 *       no answer yet             → pending; nothing is kept
 *       a source could not tell   → error entry, `errorCacheDurationMs`; the retained certificate serves on, else unavailable
 *       every source said no      → absent;  negative store, `certCacheDurationMs`; the retained certificate is dropped
 *  6. With wildcards on: a name that is absent is looked up once more as `*.parent`, cached under that name.
 *
 * A waiter waits for `lookupTimeoutMs` (the starter of an order, who comes back with phase `order`, for
 * `autocertTimeoutMs`) and is then told `pending`, with the last good certificate where there is one. The flight goes on
 * behind it and fills the caches.
 *
 * An expire begins a new epoch: flights under way answer their waiters, who may not keep the answer, and store nothing.
 */
import type { NegativeCache } from './caches/negative-cache.js';
import type { PemCache } from './caches/pem-cache.js';
import { SingleFlight, type Flight } from './caches/single-flight.js';
import type { StartTimer } from './caches/timer.js';
import { examine, type CertificateBundle, type CertificatePair } from './domain/certificate.js';
import { describeError, usageError } from './domain/errors.js';
import { TIER_CACHE, type LastGood, type Resolution, type Tier } from './domain/lookup.js';
import { wildcardOf, type ServerName } from './domain/server-name.js';
import type { CacheStatus, WorkerToPrimary } from './bus/messages.js';
import type { Logger } from './log.js';
import type { CertificateSource } from './sources/source.js';

/** The settings of a resolver that a reload may change. */
export interface ResolverSettings {
  readonly certCacheDurationMs: number;
  readonly errorCacheDurationMs: number;
  readonly lookupTimeoutMs: number;
  readonly autocertTimeoutMs: number;
  readonly wildcards: boolean;
}

export interface ResolverParts {
  readonly pem: PemCache;
  readonly negative: NegativeCache;
  readonly log: Logger;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** @default timers of Node's */
  readonly startTimer?: StartTimer;
}

export type ResolveRequest = WorkerToPrimary['resolve']['params'];

/** The admin route lists this many names in all. */
const MAX_STATUS_NAMES = 1024;

/** What a flight brings back: what is now known of the name. */
type Outcome =
  | {
      readonly kind: 'found';
      readonly certificate: CertificateBundle;
      readonly tier: Tier;
      readonly keepMs?: number;
    }
  | { readonly kind: 'absent'; readonly tier: Tier; readonly keepMs?: number }
  | { readonly kind: 'unavailable'; readonly reason: string; readonly keepMs: number }
  | { readonly kind: 'pending'; readonly reason: string };

export class Resolver {
  readonly #parts: ResolverParts;
  readonly #flights: SingleFlight<Outcome>;
  #settings: ResolverSettings;
  #sources: readonly CertificateSource[];
  #closing = new AbortController();

  constructor(parts: ResolverParts, settings: ResolverSettings, sources: readonly CertificateSource[]) {
    this.#parts = parts;
    this.#flights = new SingleFlight(parts.now, parts.startTimer);
    this.#settings = settings;
    this.#sources = sources;
  }

  /** Answers a worker's question. Never rejects. */
  async resolve(request: ResolveRequest): Promise<Resolution> {
    const exact = await this.#resolveOne(request.name, request);
    const wildcard = this.#settings.wildcards ? wildcardOf(request.name) : undefined;
    return exact.kind === 'absent' && wildcard !== undefined ? this.#resolveOne(wildcard, request) : exact;
  }

  /** A hard expire: forgets all that is known of a name. */
  expireDomain(name: ServerName): void {
    this.#flights.detach(name);
    this.#parts.pem.delete(name);
    this.#parts.negative.delete(name);
    for (const source of this.#sources) source.forget?.(name);
  }

  /**
   * Expires everything.
   *
   * @param hard also drops the retained certificates, which otherwise serve on while the sources are unavailable.
   */
  expireAll(options: { readonly hard: boolean }): void {
    this.#flights.detach();
    this.#parts.pem.flush(options);
    this.#parts.negative.clear();
    for (const source of this.#sources) source.forget?.();
  }

  /**
   * Puts a certificate into the PEM cache by hand, as if a source had it now.
   *
   * @throws ProxyError ERR_USAGE when it must not be served for this name.
   */
  seed(name: ServerName, pairs: readonly CertificatePair[]): void {
    const verdict = examine(pairs, name, this.#parts.now());
    if (verdict.kind !== 'usable')
      throw usageError(`the certificate for ${name} is ${verdict.kind}: ${verdict.reason}`);
    this.#flights.detach(name);
    this.#parts.negative.delete(name);
    this.#parts.pem.set(name, verdict.bundle, TIER_CACHE, this.#settings.certCacheDurationMs);
  }

  status(): CacheStatus {
    const autocert = this.#flights.ordering().slice(0, MAX_STATUS_NAMES);
    const valid = this.#parts.pem.freshNames(MAX_STATUS_NAMES - autocert.length);
    const invalid = this.#parts.negative.absentNames(MAX_STATUS_NAMES - autocert.length - valid.length);
    return { valid, invalid, autocert };
  }

  /**
   * Takes new settings and sources. The look-ups under way end with the old sources, which are closed after them.
   *
   * @returns when the old sources are closed.
   */
  async configure(settings: ResolverSettings, sources: readonly CertificateSource[]): Promise<void> {
    const gone = this.#sources.filter((source) => !sources.includes(source));
    this.#settings = settings;
    this.#sources = sources;
    if (gone.length === 0) return;
    const landed = this.#flights.settled();
    // Answers of the old sources are not stored: the new ones may know better.
    this.#flights.detach();
    await landed;
    await Promise.all(gone.map((source) => source.close()));
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#flights.detach();
    await Promise.all(this.#sources.map((source) => source.close()));
  }

  async #resolveOne(name: ServerName, request: ResolveRequest): Promise<Resolution> {
    const { pem, negative, now } = this.#parts;
    const cached = pem.get(name);
    if (cached?.state === 'fresh') {
      const { certificate, freshUntilMs } = cached.entry;
      // One that is kept for want of a better one: a worker must not keep it any longer than we do.
      const isOutdated = now() >= certificate.notAfterMs || now() < certificate.notBeforeMs;
      const keeping = isOutdated ? { keepMs: freshUntilMs - now() } : {};
      return answer({ kind: 'found', certificate, tier: TIER_CACHE, ...keeping }, request);
    }
    const known = negative.get(name);
    if (known?.kind === 'absent') return { kind: 'absent', tier: TIER_CACHE };
    if (known?.kind === 'error') {
      const keepMs = known.expiresAtMs - now();
      if (cached === undefined) return { kind: 'unavailable', reason: known.reason, keepMs };
      const { certificate } = cached.entry;
      return answer({ kind: 'found', certificate, tier: TIER_CACHE, keepMs }, request);
    }
    return this.#fly(name, request);
  }

  /** Step 3: joins the flight of the name, or starts it, and waits as long as this waiter may. */
  async #fly(name: ServerName, request: ResolveRequest): Promise<Resolution> {
    const { lookupTimeoutMs, autocertTimeoutMs } = this.#settings;
    const throughOrder = request.phase === 'order';
    const under = this.#flights.get(name);
    const flight = under ?? this.#flights.start(name, (self) => this.#lookUp(name, request.client, self));
    const lastGood = this.#parts.pem.get(name)?.entry.certificate;
    // Who has a certificate to go on with need not wait again for a source that has already had its time.
    const overdue = this.#parts.now() - flight.startedAtMs >= lookupTimeoutMs;
    const patienceMs = throughOrder
      ? autocertTimeoutMs
      : overdue && lastGood !== undefined
        ? 0
        : lookupTimeoutMs;
    try {
      const arrival = await flight.wait(patienceMs, { first: under === undefined, throughOrder });
      switch (arrival.kind) {
        case 'landed':
          return answer(flight.current ? arrival.value : { ...arrival.value, keepMs: 0 }, request, lastGood);
        case 'late':
          return pending('the sources have not answered in time', request, lastGood);
        case 'ordering':
          return {
            ...pending('a certificate is being ordered', request, lastGood),
            ...(arrival.starter ? { starter: true as const } : {}),
          };
      }
    } catch (thrown) {
      this.#parts.log.err('look-up failed', { name, error: describeError(thrown) });
      return { kind: 'unavailable', reason: 'internal error', keepMs: this.#settings.errorCacheDurationMs };
    }
  }

  /** Steps 4 and 5. */
  async #lookUp(name: ServerName, client: string, flight: Flight<Outcome>): Promise<Outcome> {
    const { log, now, pem } = this.#parts;
    const troubles: string[] = [];
    // Trouble with this name alone is said here; that of a whole source is said once, where it is found.
    let isOwnTrouble = false;
    const waits: string[] = [];
    let reserve: { certificate: CertificateBundle; tier: Tier; reason: string } | undefined;
    for (const source of this.#sources) {
      const lookup = await source.lookup(name, {
        signal: this.#closing.signal,
        client,
        known: pem.get(name) !== undefined,
        onOrder: () => flight.beginOrder(),
      });
      if (lookup.kind === 'pending') waits.push(`${source.name}: ${lookup.reason}`);
      if (lookup.kind === 'unavailable') {
        troubles.push(`${source.name}: ${lookup.reason}`);
        isOwnTrouble ||= lookup.scope === 'name';
      }
      if (lookup.kind !== 'found') continue;
      for (const candidate of lookup.candidates) {
        const verdict = examine(candidate, name, now());
        if (verdict.kind === 'usable') return this.#keepFound(name, verdict.bundle, source.name, flight);
        log.err(`certificate of ${source.name} is ${verdict.kind}`, { name, reason: verdict.reason });
        if (verdict.kind === 'unusable') troubles.push(`${source.name}: ${verdict.reason}`);
        else reserve ??= { certificate: verdict.bundle, tier: source.name, reason: verdict.reason };
      }
    }
    if (reserve !== undefined) {
      const retained = pem.get(name)?.entry.certificate;
      if (retained === undefined || retained.notAfterMs <= now())
        return this.#keepOutdated(name, reserve, flight);
      troubles.push(`${reserve.tier}: ${reserve.reason}`);
    }
    if (waits.length > 0) return { kind: 'pending', reason: waits.join('; ') };
    return troubles.length > 0
      ? this.#keepTrouble(name, troubles.join('; '), isOwnTrouble, flight)
      : this.#keepAbsent(name, flight);
  }

  #keepFound(name: ServerName, certificate: CertificateBundle, tier: Tier, flight: Flight<Outcome>): Outcome {
    const { pem, negative, log } = this.#parts;
    if (flight.current) {
      pem.set(name, certificate, tier, this.#settings.certCacheDurationMs);
      negative.delete(name);
    }
    log.info('certificate found', { name, tier, fingerprint: certificate.fingerprint });
    return { kind: 'found', certificate, tier };
  }

  #keepOutdated(
    name: ServerName,
    reserve: { certificate: CertificateBundle; tier: Tier },
    flight: Flight<Outcome>,
  ): Outcome {
    const keepMs = this.#settings.errorCacheDurationMs;
    if (flight.current) this.#parts.pem.set(name, reserve.certificate, reserve.tier, keepMs);
    return { kind: 'found', certificate: reserve.certificate, tier: reserve.tier, keepMs };
  }

  #keepTrouble(name: ServerName, reason: string, isOwn: boolean, flight: Flight<Outcome>): Outcome {
    const { pem, negative, log } = this.#parts;
    const keepMs = this.#settings.errorCacheDurationMs;
    if (flight.current) negative.set(name, { kind: 'error', reason }, keepMs);
    const retained = pem.get(name)?.entry.certificate;
    const fields = { name, reason, servedOn: retained !== undefined };
    if (isOwn) log.notice('no source could tell', fields);
    else log.info('no source could tell', fields);
    if (retained === undefined) return { kind: 'unavailable', reason, keepMs };
    return { kind: 'found', certificate: retained, tier: TIER_CACHE, keepMs };
  }

  #keepAbsent(name: ServerName, flight: Flight<Outcome>): Outcome {
    const { pem, negative, log } = this.#parts;
    if (flight.current) {
      negative.set(name, { kind: 'absent' }, this.#settings.certCacheDurationMs);
      pem.delete(name);
    }
    log.info('no certificate', { name });
    return { kind: 'absent', tier: this.#sources.at(-1)?.name ?? TIER_CACHE };
  }
}

/** Puts an outcome into words for one waiter: a certificate that it has already is not sent again. */
function answer(
  outcome: Outcome & { readonly keepMs?: number },
  request: ResolveRequest,
  lastGood?: CertificateBundle,
): Resolution {
  if (outcome.kind === 'pending') return pending(outcome.reason, request, lastGood);
  if (outcome.kind !== 'found' || outcome.certificate.fingerprint !== request.fingerprint) return outcome;
  return {
    kind: 'unchanged',
    tier: outcome.tier,
    ...(outcome.keepMs === undefined ? {} : { keepMs: outcome.keepMs }),
  };
}

function pending(
  reason: string,
  request: ResolveRequest,
  lastGood: CertificateBundle | undefined,
): Resolution & { kind: 'pending' } {
  if (lastGood === undefined) return { kind: 'pending', reason };
  const good: LastGood =
    lastGood.fingerprint === request.fingerprint
      ? { kind: 'unchanged' }
      : { kind: 'found', certificate: lastGood };
  return { kind: 'pending', reason, lastGood: good };
}
