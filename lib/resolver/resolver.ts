/**
 * The look-up order. In the primary; asked by the workers over the bus.
 *
 *  1. PEM cache, fresh: that certificate (`from-caches.ts`).
 *  2. Negative store: "there is none" (absent), or "nobody could tell a moment ago" (error), in which case the retained
 *     certificate serves on.
 *  3. A look-up of this name under way: join it. One flight a name for the whole machine (`flight-waiter.ts`).
 *  4. The sources, in their order, until one has a certificate that no other could outrank (`gather.ts`). What may be served at
 *     all, and what is best of it, is ranked over all sources alike (`candidates.ts`).
 *  5. What the look-up comes to, and what is kept of it (`conclude.ts` has the table).
 *  6. With wildcards on: a name that has nothing valid of its own is looked up once more as `*.parent`, cached under that name
 *     (`wildcards.ts`).
 *  7. Where a client can use no key of what was found, the half that it can use is looked for, once (`halves.ts`).
 *  8. In the last third of a certificate's life that came from a copy (Redis), the authority (the manager) is asked behind the
 *     scenes, at most hourly a name: a renewal gets through with nobody priming. A copy that stays behind what the authority had
 *     counts only where the authority has none (`candidates.ts`).
 *
 * A waiter waits for `lookupTimeoutMs`; where a valid certificate is retained, which can serve on, only for `refreshTimeoutMs`;
 * the starter of an order, who comes back with phase `order`, for `autocertTimeoutMs`. Each is for name, wildcard and half
 * together. Then the waiter is told `pending`, with the last good certificate where there is one. The flight goes on behind it
 * and fills the caches.
 *
 * An expire begins a new epoch (`invalidation.ts`): flights under way answer their waiters, who may not keep the answer, and
 * store nothing. The look-ups of a name that was expired by hand ask the authority before its copies, until it has one again.
 */
import { setMaxListeners } from 'node:events';
import type { Clock } from '../base/clock.js';
import { startUnrefTimer, type StartTimer } from '../base/timer.js';
import type { NegativeCache } from '../caches/negative-cache.js';
import type { PemCache } from '../caches/pem-cache.js';
import type { CacheStatus } from '../domain/cache-status.js';
import { datesProblem, kindMissingIn, type CertificatePair } from '../domain/certificate.js';
import { examine } from '../domain/examination.js';
import { type KeyKind } from '../domain/key-class.js';
import { usageError } from '../domain/errors.js';
import type { NameFacts, PrimaryFacts } from '../domain/inspection.js';
import { TIER_CACHE, type Resolution, type ResolveRequest } from '../domain/lookup.js';
import { wildcardOf, type ServerName } from '../domain/server-name.js';
import type { Logger } from '../log/logger.js';
import type { CertificateSource, ChangedNames } from '../sources/source.js';
import type { ConclusionSettings, Outcome } from './conclude.js';
import { FlightWaiter, type Question, type WaitSettings } from './flight-waiter.js';
import { fromCaches } from './from-caches.js';
import { Halves } from './halves.js';
import { askAll } from './inspect.js';
import { Invalidation } from './invalidation.js';
import { LookUps } from './look-up.js';
import type { ResolverObserver } from './observer.js';
import { ServableCertificates } from './servable.js';
import { SingleFlight } from './single-flight.js';
import { isServed, withWildcard, type Known } from './wildcards.js';

/** The settings of a resolver that a reload may change. */
export interface ResolverSettings extends ConclusionSettings, WaitSettings {
  readonly autocertTimeoutMs: number;
  readonly wildcards: boolean;
}

export interface ResolverParts {
  readonly pem: PemCache;
  readonly negative: NegativeCache;
  readonly log: Logger;
  readonly clock: Clock;
  readonly observer?: ResolverObserver;
  /** @default timers of Node's */
  readonly startTimer?: StartTimer;
  /** @default OpenSSL's verdict */
  readonly servable?: ServableCertificates;
}

/** The admin route lists this many names in all. */
const MAX_STATUS_NAMES = 1024;

export class Resolver {
  readonly #parts: ResolverParts;
  readonly #flights: SingleFlight<Outcome>;
  readonly #lookUps: LookUps;
  readonly #waiter: FlightWaiter;
  readonly #invalidation: Invalidation;
  readonly #servable: ServableCertificates;
  readonly #halves: Halves;
  readonly #closing = new AbortController();
  #settings: ResolverSettings;
  #sources: readonly CertificateSource[];

  constructor(parts: ResolverParts, settings: ResolverSettings, sources: readonly CertificateSource[]) {
    this.#parts = parts;
    this.#flights = new SingleFlight(parts.clock.now, parts.startTimer);
    this.#servable = parts.servable ?? new ServableCertificates();
    this.#halves = new Halves(parts.clock.now);
    this.#settings = settings;
    this.#sources = sources;
    this.#lookUps = new LookUps(
      {
        ...parts,
        servable: this.#servable,
        halves: this.#halves,
        signal: this.#closing.signal,
        resolve: (name, request) => this.#resolveOne(name, this.#questionOf(request)),
      },
      settings,
      sources,
    );
    const own = { ...parts, flights: this.#flights, lookUps: this.#lookUps };
    this.#waiter = new FlightWaiter(own, settings);
    this.#invalidation = new Invalidation({ ...own, halves: this.#halves, servable: this.#servable });
    // A listener for each look-up under way.
    setMaxListeners(0, this.#closing.signal);
  }

  /** Answers a worker's question. Never rejects. */
  async resolve(request: ResolveRequest): Promise<Resolution> {
    const question = this.#questionOf(request);
    const { name } = request;
    const own = await this.#resolveOne(name, question);
    const wildcard = this.#settings.wildcards ? wildcardOf(name) : undefined;
    const dateMs = this.#parts.clock.date();
    if (wildcard === undefined || isServed(this.#known(name, own), dateMs)) return own;
    return withWildcard(own, this.#known(wildcard, await this.#resolveOne(wildcard, question)), dateMs);
  }

  /** A hard expire: forgets all that is known of a name. */
  expireDomain(name: ServerName): void {
    this.#invalidation.expireDomain(name);
    for (const source of this.#sources) source.forget?.(name);
  }

  /**
   * Expires everything.
   *
   * @param options `hard` drops the retained certificates too, which otherwise serve on while the sources are unavailable.
   */
  expireAll(options: { readonly hard: boolean }): void {
    this.#invalidation.expireAll(options);
    for (const source of this.#sources) source.forget?.();
  }

  /**
   * A source has something new for these names, or (undefined) for any: they are looked up afresh. What is retained of them
   * serves on until then, and for `absentGraceMs` where the source has lost them.
   */
  changed(names: ChangedNames): void {
    this.#invalidation.changed(names);
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
    this.#halves.lookAgain([name]);
    this.#parts.negative.delete(name);
    this.#parts.pem.set(name, verdict.bundle, TIER_CACHE, this.#settings.certCacheDurationMs);
  }

  /**
   * What is known of a name, and what its sources say of it now, for a person. Nothing is kept, ordered or written for it, and
   * no look-up is held up.
   *
   * @param limitMs how long a source may take.
   */
  async inspect(name: ServerName, limitMs: number): Promise<NameFacts> {
    // First, as it was before the question.
    const primary = this.#inspectCaches(name);
    const sources = await askAll(name, this.#sources, {
      clock: this.#parts.clock,
      servable: this.#servable,
      startTimer: this.#parts.startTimer ?? startUnrefTimer,
      limitMs,
    });
    return { name, primary, sources };
  }

  #inspectCaches(name: ServerName): PrimaryFacts {
    const { pem, negative, clock } = this.#parts;
    const cached = pem.inspect(name);
    const known = negative.inspect(name);
    const flight = this.#flights.get(name);
    return {
      ...(cached !== undefined && { cached }),
      ...(known !== undefined && { negative: known }),
      ...(flight !== undefined && {
        lookUp: { forMs: clock.now() - flight.startedAtMs, isOrder: flight.ordering },
      }),
      isPurged: this.#lookUps.isPurged(name),
    };
  }

  status(): CacheStatus {
    const autocert = this.#flights.ordering().slice(0, MAX_STATUS_NAMES);
    const valid = this.#parts.pem.freshNames(MAX_STATUS_NAMES - autocert.length);
    const invalid = this.#parts.negative.absentNames(MAX_STATUS_NAMES - autocert.length - valid.length);
    return { valid, invalid, autocert };
  }

  /**
   * Takes new settings and sources. The look-ups under way end with the old sources, which are closed after them. Where the sources are
   * others, all that is known is looked up afresh, as after `changed`. Once it is closed, it only closes the new sources.
   *
   * @returns when the old sources are closed.
   */
  async configure(settings: ResolverSettings, sources: readonly CertificateSource[]): Promise<void> {
    if (this.#closing.signal.aborted) {
      const late = sources.filter((source) => !this.#sources.includes(source));
      await Promise.all(late.map((source) => source.close()));
      return;
    }
    const gone = this.#sources.filter((source) => !sources.includes(source));
    const areOthers =
      sources.length !== this.#sources.length || sources.some((source, at) => source !== this.#sources[at]);
    this.#settings = settings;
    this.#sources = sources;
    this.#lookUps.configure(settings, sources);
    this.#waiter.configure(settings);
    if (!areOthers) return;
    const landed = this.#flights.settled();
    // Nor are answers of the old sources stored, which are under way: the new ones may know better.
    this.#invalidation.changed(undefined);
    if (gone.length === 0) return;
    await landed;
    await Promise.all(gone.map((source) => source.close()));
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#flights.detach();
    await Promise.all(this.#sources.map((source) => source.close()));
  }

  #questionOf(request: ResolveRequest): Question {
    const { autocertTimeoutMs, lookupTimeoutMs } = this.#settings;
    const patienceMs = request.phase === 'order' ? autocertTimeoutMs : lookupTimeoutMs;
    return { ...request, untilMs: this.#parts.clock.now() + patienceMs };
  }

  #known(name: ServerName, resolution: Resolution): Known {
    return { resolution, held: this.#parts.pem.get(name)?.entry.certificate };
  }

  /** What is known of a name, with the half that is wanted where there is one. */
  async #resolveOne(name: ServerName, question: Question): Promise<Resolution> {
    const resolution = await this.#resolveAny(name, question);
    return question.wants === undefined
      ? resolution
      : this.#complete(name, question, question.wants, resolution);
  }

  async #resolveAny(name: ServerName, request: Question): Promise<Resolution> {
    if (request.refused !== undefined) this.#invalidation.refuse(name, request.refused, request.handshake);
    return fromCaches(name, request, this.#parts) ?? this.#waiter.wait(name, request);
  }

  /** Step 7. @param resolution what is to be said where there is no such half. */
  async #complete(
    name: ServerName,
    request: Question,
    wants: KeyKind,
    resolution: Resolution,
  ): Promise<Resolution> {
    const { pem, clock } = this.#parts;
    let said = resolution;
    // A flight under way may have begun before anybody wanted both halves: then one more is needed.
    for (let flights = 0; said.kind !== 'pending'; flights++) {
      const held = pem.get(name)?.entry.certificate;
      const isMissing = held !== undefined && kindMissingIn(held) === wants;
      if (!isMissing || datesProblem(held, clock.date()) !== undefined) return said;
      const noHalfMs = this.#halves.restMs(name);
      if (noHalfMs > 0) {
        return said.kind === 'found' || said.kind === 'unchanged' ? { ...said, noHalfMs } : said;
      }
      if (flights === 2) return said;
      this.#halves.want(name);
      said = await this.#waiter.wait(name, request, false);
    }
    return said;
  }
}
