/**
 * The look-up order. In the primary; asked by the workers over the bus.
 *
 *  1. PEM cache, fresh: that certificate.
 *  2. Negative store: "there is none" (absent), or "nobody could tell a moment ago" (error), in which case the retained
 *     certificate serves on.
 *  3. A look-up of this name under way: join it. One flight a name for the whole machine.
 *  4. The sources, in their order, until one has a certificate that no other could put into the shade (`gather.ts`). What may be
 *     served at all, and what is best of it, is ranked over all sources alike (`candidates.ts`).
 *  5. What it comes to, and what is kept (`conclude.ts` has the table).
 *  6. With wildcards on: a name that is absent is looked up once more as `*.parent`, cached under that name.
 *  7. In the last third of a certificate's life that came from a copy (Redis), the authority (the manager) is asked behind the
 *     scenes, at most hourly a name: a renewal gets through with nobody priming.
 *
 * A waiter waits for `lookupTimeoutMs`; for `refreshTimeoutMs` only where a valid certificate is retained, which then serves on;
 * the starter of an order, who comes back with phase `order`, for `autocertTimeoutMs`. Then it is told `pending`, with the last
 * good certificate where there is one. The flight goes on behind it and fills the caches.
 *
 * An expire begins a new epoch: flights under way answer their waiters, who may not keep the answer, and store nothing. The
 * look-ups of a name that was expired by hand ask the authority before its copies, until it has one again.
 */
import { setMaxListeners } from 'node:events';
import { LRUCache } from 'lru-cache';
import type { NegativeCache } from '../caches/negative-cache.js';
import type { PemCache } from '../caches/pem-cache.js';
import { startUnrefTimer, type StartTimer } from '../caches/timer.js';
import {
  datesProblem,
  examine,
  type CertificateBundle,
  type CertificatePair,
} from '../domain/certificate.js';
import type { Clock } from '../domain/clock.js';
import { describeError, usageError } from '../domain/errors.js';
import { TIER_CACHE, type LastGood, type Resolution, type Tier } from '../domain/lookup.js';
import { wildcardOf, withThoseBelow, type ServerName } from '../domain/server-name.js';
import type { CacheStatus, WorkerToPrimary } from '../bus/messages.js';
import type { Logger } from '../log.js';
import type { CertificateSource, ChangedNames } from '../sources/source.js';
import { Candidates, type Remark } from './candidates.js';
import { Conclusions, type ConclusionSettings, type Outcome } from './conclude.js';
import { gather } from './gather.js';
import { RenewalChecks } from './renewal-checks.js';
import { ServableCertificates } from './servable.js';
import { SingleFlight, type Flight } from './single-flight.js';

/** The settings of a resolver that a reload may change. */
export interface ResolverSettings extends ConclusionSettings {
  readonly lookupTimeoutMs: number;
  /** The same where a valid certificate is retained. */
  readonly refreshTimeoutMs: number;
  readonly autocertTimeoutMs: number;
  readonly wildcards: boolean;
}

export interface ResolverParts {
  readonly pem: PemCache;
  readonly negative: NegativeCache;
  readonly log: Logger;
  readonly clock: Clock;
  /** @default timers of Node's */
  readonly startTimer?: StartTimer;
  /** @default OpenSSL's verdict */
  readonly servable?: ServableCertificates;
}

export type ResolveRequest = WorkerToPrimary['resolve']['params'];

/** The admin route lists this many names in all. */
const MAX_STATUS_NAMES = 1024;
/** Names that were expired by hand, and certificates of which was said that they are not as they should be. */
const MAX_REMEMBERED = 100_000;

export class Resolver {
  readonly #parts: ResolverParts;
  readonly #flights: SingleFlight<Outcome>;
  readonly #conclusions: Conclusions;
  readonly #servable: ServableCertificates;
  readonly #renewals: RenewalChecks;
  /** Expired by hand: what copies have of them may be what was withdrawn. */
  readonly #purged = new LRUCache<ServerName, true>({ max: MAX_REMEMBERED });
  readonly #remarked = new LRUCache<string, true>({ max: MAX_REMEMBERED });
  readonly #closing = new AbortController();
  #settings: ResolverSettings;
  #sources: readonly CertificateSource[];

  constructor(parts: ResolverParts, settings: ResolverSettings, sources: readonly CertificateSource[]) {
    this.#parts = parts;
    this.#flights = new SingleFlight(parts.clock.now, parts.startTimer);
    this.#conclusions = new Conclusions(parts, settings);
    this.#servable = parts.servable ?? new ServableCertificates();
    this.#renewals = new RenewalChecks(parts, this.#servable, this.#closing.signal);
    this.#settings = settings;
    this.#sources = sources;
    // A listener for each look-up under way.
    setMaxListeners(0, this.#closing.signal);
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
    this.#purged.set(name, true);
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
   * A source has something new for these names, or (undefined) for any: they are looked up afresh. What is retained of them
   * serves on until then, and for `absentGraceMs` where the source has lost them.
   */
  changed(names: ChangedNames): void {
    const { pem, negative } = this.#parts;
    if (names === undefined) {
      this.#flights.detach();
      pem.flush({ hard: false });
      negative.clear();
      return;
    }
    const known = [...pem.names(), ...negative.names(), ...this.#flights.names()];
    const concerned = withThoseBelow(names, known);
    pem.makeStale(concerned);
    for (const name of concerned) {
      this.#flights.detach(name);
      negative.delete(name);
    }
  }

  /**
   * Puts a certificate into the PEM cache by hand, as if a source had it now.
   *
   * @throws ProxyError ERR_USAGE when it must not be served for this name.
   */
  seed(name: ServerName, pairs: readonly CertificatePair[]): void {
    const verdict = examine(pairs, name, this.#parts.clock.date());
    if (verdict.kind !== 'usable')
      throw usageError(`the certificate for ${name} is ${verdict.kind}: ${verdict.reason}`);
    const refusal = this.#servable.refusalOf(verdict.bundle);
    if (refusal !== null) throw usageError(`the certificate for ${name} cannot be served: ${refusal}`);
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
    this.#conclusions.configure(settings);
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
    const { pem, negative, clock } = this.#parts;
    if (request.refused !== undefined) this.#refuse(name, request.refused);
    const cached = pem.get(name);
    if (cached?.state === 'fresh') {
      const { certificate, freshForMs } = cached.entry;
      // One that is kept for want of a better one: a worker must not keep it any longer than we do.
      const isOutdated = datesProblem(certificate, clock.date()) !== undefined;
      const keeping = isOutdated ? { keepMs: freshForMs } : {};
      return answer({ kind: 'found', certificate, tier: TIER_CACHE, ...keeping }, request);
    }
    const known = negative.get(name);
    if (known?.kind === 'absent') return { kind: 'absent', tier: TIER_CACHE };
    if (known?.kind === 'error') {
      const keepMs = known.expiresAtMs - clock.now();
      if (cached === undefined) return { kind: 'unavailable', reason: known.reason, keepMs };
      const { certificate } = cached.entry;
      return answer({ kind: 'found', certificate, tier: TIER_CACHE, keepMs }, request);
    }
    return this.#fly(name, request);
  }

  /** A worker could not build a certificate that we took for servable: another one is looked for. */
  #refuse(name: ServerName, { fingerprint, reason }: NonNullable<ResolveRequest['refused']>): void {
    const { pem, log } = this.#parts;
    this.#servable.refuse(fingerprint, reason);
    if (pem.get(name)?.entry.certificate.fingerprint !== fingerprint) return;
    log.err('a worker cannot serve a certificate: another one is looked for', { name, reason });
    this.#flights.detach(name);
    pem.delete(name);
  }

  /** Step 3: joins the flight of the name, or starts it, and waits as long as this waiter may. */
  async #fly(name: ServerName, request: ResolveRequest): Promise<Resolution> {
    const throughOrder = request.phase === 'order';
    const under = this.#flights.get(name);
    const flight = under ?? this.#flights.start(name, (self) => this.#lookUp(name, request.client, self));
    const lastGood = this.#parts.pem.get(name)?.entry.certificate;
    const patienceMs = throughOrder ? this.#settings.autocertTimeoutMs : this.#patienceMs(flight, lastGood);
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

  /** Who has a certificate to go on with need not wait again for sources that have already had their time. */
  #patienceMs(flight: Flight<Outcome>, lastGood: CertificateBundle | undefined): number {
    const { clock } = this.#parts;
    const { lookupTimeoutMs, refreshTimeoutMs } = this.#settings;
    if (lastGood === undefined) return lookupTimeoutMs;
    const isValid = datesProblem(lastGood, clock.date()) === undefined;
    const limitMs = isValid ? Math.min(refreshTimeoutMs, lookupTimeoutMs) : lookupTimeoutMs;
    return clock.now() - flight.startedAtMs >= limitMs ? 0 : limitMs;
  }

  /** Steps 4, 5 and 7. */
  async #lookUp(name: ServerName, client: string, flight: Flight<Outcome>): Promise<Outcome> {
    const { clock, pem, startTimer } = this.#parts;
    // Without an authority there is nobody whose word could go before a copy's.
    const isPurged = this.#purged.has(name) && this.#sources.some(({ role }) => role === 'authority');
    const candidates = new Candidates(name, clock.date(), this.#servable);
    const gathered = await gather(name, {
      sources: this.#sources,
      candidates,
      isPurged,
      context: {
        signal: this.#closing.signal,
        client,
        known: pem.get(name) !== undefined,
        onOrder: ({ mayWait }) => flight.beginOrder({ mayWait }),
      },
      lookupTimeoutMs: this.#settings.lookupTimeoutMs,
      now: clock.now,
      startTimer: startTimer ?? startUnrefTimer,
      onRemark: (source, remark) => this.#note(name, source, remark),
    });
    const best = candidates.best();
    const outcome = this.#conclusions.conclude(name, {
      gathered,
      best,
      isProvisional: isPurged && gathered.authority === undefined && this.#isCopy(best?.tier),
      hasGrace: !(isPurged && this.#isCopy(pem.get(name)?.entry.origin)),
      lastTier: this.#sources.at(-1)?.name ?? TIER_CACHE,
      mayKeep: flight.current,
    });
    if (flight.current) {
      // The authority has one again, and its answer has brought its copies up to date.
      if ((gathered.authority === 'found' || !isPurged) && outcome.kind === 'found')
        this.#purged.delete(name);
      if (gathered.authority === undefined && outcome.kind === 'found') {
        this.#renewals.consider(name, outcome, this.#sources, this.#settings.certCacheDurationMs);
      }
    }
    return outcome;
  }

  #isCopy(tier: Tier | undefined): boolean {
    return this.#sources.some(({ name, role }) => name === tier && role === 'copy');
  }

  /** Says once of a certificate what is wrong with it, not with each look-up. */
  #note(name: ServerName, source: string, { kind, reason, fingerprint }: Remark): void {
    const key = `${name} ${source} ${fingerprint ?? ''} ${reason}`;
    if (this.#remarked.has(key)) return;
    this.#remarked.set(key, true);
    this.#parts.log.err(`certificate of ${source} is ${kind}`, {
      name,
      reason,
      ...(fingerprint !== undefined && { fingerprint }),
    });
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
