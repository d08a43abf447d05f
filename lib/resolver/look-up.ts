/**
 * One look-up of one name, as the work of its flight: asks the sources, ranks what they have, and keeps what it comes to.
 * Steps 4, 5, 7 and 8 of the order in `resolver.ts`.
 */
import { growingLru } from '../base/growing-lru.js';
import { channels } from '../channels/channels.js';
import type { PemCache } from '../caches/pem-cache.js';
import type { PemEntry } from '../caches/pem-slot.js';
import { startUnrefTimer, type StartTimer } from '../base/timer.js';
import { datesProblem, type CertificateHalf } from '../domain/certificate.js';
import { TIER_CACHE, type Resolution, type ResolveRequest, type Tier } from '../domain/lookup.js';
import { wildcardOf, type ServerName } from '../domain/server-name.js';
import { logOfHandshake, type Logger } from '../log/logger.js';
import type { CertificateSource, ServedAbove } from '../sources/source.js';
import { Candidates, type Remark } from './candidates.js';
import { Conclusions, type ConclusionParts, type ConclusionSettings, type Outcome } from './conclude.js';
import { gather, type Gathered } from './gather.js';
import type { Halves } from './halves.js';
import { publishLookUp } from './publish.js';
import { RenewalChecks } from './renewal-checks.js';
import type { ServableCertificates } from './servable.js';
import type { Flight } from './single-flight.js';
import { isServed } from './wildcards.js';

export interface LookUpSettings extends ConclusionSettings {
  readonly lookupTimeoutMs: number;
  readonly wildcards: boolean;
}

export interface LookUpParts extends ConclusionParts {
  readonly pem: PemCache;
  readonly servable: ServableCertificates;
  readonly halves: Halves;
  /** Aborts when the resolver is closed. */
  readonly signal: AbortSignal;
  /** @default timers of Node's */
  readonly startTimer?: StartTimer;
  /** What is known of another name, looked up where nothing is. */
  resolve(this: void, name: ServerName, request: ResolveRequest): Promise<Resolution>;
}

/** Whose question has started a look-up. */
export type Starter = Pick<ResolveRequest, 'client' | 'handshake'>;

/** A look-up for both halves, after the sources of the name itself. */
interface HalfSearch {
  readonly starter: Starter;
  readonly candidates: Candidates;
  readonly gathered: Gathered;
  readonly flight: Flight<Outcome>;
  readonly isPurged: boolean;
}

/** The most names remembered as expired by hand, and the most certificates remembered as complained about in the log. */
const MAX_REMEMBERED = 100_000;

export class LookUps {
  readonly #parts: LookUpParts;
  readonly #conclusions: Conclusions;
  readonly #renewals: RenewalChecks;
  /** Names expired by hand: what a copy has of them may have been withdrawn. */
  readonly #purged = growingLru<ServerName, true>(MAX_REMEMBERED);
  readonly #remarked = growingLru<string, true>(MAX_REMEMBERED);
  #settings: LookUpSettings;
  #sources: readonly CertificateSource[];

  constructor(parts: LookUpParts, settings: LookUpSettings, sources: readonly CertificateSource[]) {
    this.#parts = parts;
    this.#conclusions = new Conclusions(parts, settings);
    this.#renewals = new RenewalChecks(parts, parts.servable, parts.signal);
    this.#settings = settings;
    this.#sources = sources;
  }

  configure(settings: LookUpSettings, sources: readonly CertificateSource[]): void {
    this.#renewals.overtake();
    this.#settings = settings;
    this.#conclusions.configure(settings);
    this.#sources = sources;
  }

  /** The sources may have something else now: answers that are under way behind the scenes do not count. */
  overtake(): void {
    this.#renewals.overtake();
  }

  /** The name was expired by hand: the authority is asked before its copies, until it has a certificate again. */
  purge(name: ServerName): void {
    this.#renewals.overtake();
    this.#purged.set(name, true);
  }

  /** Whether the name was expired by hand, and the authority has had no certificate of it since. */
  isPurged(name: ServerName): boolean {
    return this.#purged.peek(name) === true;
  }

  /**
   * @param flight tells whether what it comes to may still be kept.
   * @param mayOrder false: it is for the other half of what is there. It orders nothing, and takes nothing away.
   */
  async run(
    name: ServerName,
    { client, handshake }: Starter,
    flight: Flight<Outcome>,
    mayOrder: boolean,
  ): Promise<Outcome> {
    const { clock, pem, servable, halves } = this.#parts;
    const startedAtMs = performance.now();
    const log = logOfHandshake(this.#parts.log, handshake);
    const starter: Starter = handshake === undefined ? { client } : { client, handshake };
    // Without an authority there is nobody to ask before the copies.
    const isPurged = this.#purged.has(name) && this.#sources.some(({ role }) => role === 'authority');
    const wantsBoth = halves.isWanted(name);
    const candidates = new Candidates(name, clock.date(), servable, this.#authoritys(name));
    const hasGrace = !(isPurged && this.#isCopy(pem.get(name)?.entry.origin));
    const servesOn = hasGrace && this.#servesOn(name);
    const wildcard = this.#wildcardAbove(name);
    const gathered = await gather(name, {
      sources: this.#sources,
      candidates,
      isPurged,
      wantsBoth,
      context: {
        signal: this.#parts.signal,
        ...starter,
        known: pem.get(name) !== undefined,
        mayOrder,
        ...(servesOn && { orderObstacle: 'the last one of the name serves on for the present' }),
        ...(wildcard !== undefined && { isServedAbove: () => this.#isServedBy(wildcard, starter) }),
        onOrder: (order) => flight.beginOrder(order),
      },
      lookupTimeoutMs: this.#settings.lookupTimeoutMs,
      now: clock.now,
      startTimer: this.#parts.startTimer ?? startUnrefTimer,
      onGood: () => {
        const half = candidates.best();
        if (half !== undefined)
          flight.offer({ kind: 'found', certificate: half.bundle, tier: half.tier, keepMs: 0 });
      },
      onRemark: (source, remark) => this.#note(log, name, source, remark),
    });
    const provisional = wantsBoth
      ? await this.#lookForHalf(name, { starter, candidates, gathered, flight, isPurged })
      : new Set<string>();
    this.#addRetained(name, candidates, gathered, provisional);
    const best = candidates.best();
    const outcome = this.#conclusions.conclude(name, {
      log,
      gathered,
      best,
      isProvisional:
        best?.bundle.pairs.some(({ fingerprint }) => provisional.has(fingerprint)) === true ||
        (isPurged &&
          gathered.authority === undefined &&
          best?.tiers.some((tier) => this.#isCopy(tier)) === true),
      hasGrace,
      lastTier: this.#sources.at(-1)?.name ?? TIER_CACHE,
      mayKeep: flight.current && (mayOrder || candidates.isGood),
    });
    if (flight.current && outcome.kind === 'found') {
      // The authority has one again, and its answer has brought its copies up to date.
      if (gathered.authority === 'found' || !isPurged) this.#purged.delete(name);
      if (gathered.authority === undefined) {
        this.#renewals.consider(name, outcome, this.#sources, this.#settings.certCacheDurationMs);
      }
    }
    if (channels.lookUp.hasSubscribers) publishLookUp({ name, handshake, startedAtMs, outcome, gathered });
    return outcome;
  }

  /**
   * After the sources of the name itself: the wildcard's half, else the one that there was before.
   *
   * @returns the fingerprints of the halves that were kept for want of a better one where they come from.
   */
  async #lookForHalf(
    name: ServerName,
    { starter, candidates, gathered, flight, isPurged }: HalfSearch,
  ): Promise<Set<string>> {
    const { pem, halves, resolve } = this.#parts;
    const { certCacheDurationMs, errorCacheDurationMs, absentGraceMs } = this.#settings;
    const provisional = new Set<string>();
    const add = (entry: PemEntry, isLent: (fingerprint: string) => boolean): void => {
      for (const half of entry.certificate.pairs) {
        if (half.keyClass !== candidates.missingKind) continue;
        candidates.add(half, entry.origin, { isLate: true, isLent: isLent(half.fingerprint) });
        if (entry.isProvisional) provisional.add(half.fingerprint);
      }
    };
    let isUnclear = gathered.troubles.length > 0 || gathered.waits.length > 0;
    const wants = candidates.missingKind;
    const wildcard = this.#wildcardAbove(name);
    if (wants !== undefined && wildcard !== undefined) {
      const { kind } = await resolve(wildcard, { name: wildcard, phase: 'lookup', ...starter, wants });
      const lender = pem.get(wildcard)?.entry;
      if (lender !== undefined) add(lender, () => true);
      isUnclear ||= kind === 'unavailable' || kind === 'pending';
    }
    const isMissing = candidates.missingKind !== undefined;
    const earlier = pem.get(name)?.entry;
    if (isMissing && earlier !== undefined) {
      // Of a name that was expired by hand only the authority's silence lets a half stay, and there is no grace for one that was
      // kept for want of a better one.
      const graceMs = earlier.isProvisional ? 0 : absentGraceMs;
      const mayStay = isPurged
        ? gathered.authority === undefined
        : isUnclear || halves.absentForMs(name) < graceMs;
      if (mayStay) add(earlier, (fingerprint) => halves.isLent(name, fingerprint));
    }
    if (flight.current) {
      halves.note(name, {
        found: candidates.isGood && !isMissing,
        restMs: isUnclear ? errorCacheDurationMs : certCacheDurationMs,
        // Without a good one what there was before serves on, the lent half with it.
        ...(candidates.isGood && { lent: candidates.best()?.lent }),
      });
    }
    return provisional;
  }

  /**
   * Where nothing good was found, and the source of what is retained cannot tell now, that may be better: an outage of the manager must
   * not put the leaf alone that Redis has in the place of its whole chain. Once that source has spoken, its word counts.
   *
   * @param provisional is given what is added.
   */
  #addRetained(
    name: ServerName,
    candidates: Candidates,
    { asked }: Gathered,
    provisional: Set<string>,
  ): void {
    const { pem, clock } = this.#parts;
    const retained = pem.get(name)?.entry;
    // With nothing that is valid the retained one serves on anyway.
    if (retained === undefined || candidates.isGood || !candidates.isValid) return;
    const origin = asked.find(({ source }) => source === retained.origin);
    if (origin === undefined || origin.outcome === 'found' || origin.outcome === 'absent') return;
    for (const half of retained.certificate.pairs) {
      if (datesProblem(half, clock.date()) !== undefined) continue;
      candidates.add(half, retained.origin);
      provisional.add(half.fingerprint);
    }
  }

  /** Whether what is retained of a name serves on where every source says that there is none, until the grace is over. */
  #servesOn(name: ServerName): boolean {
    const { pem, clock } = this.#parts;
    const { absentGraceMs } = this.#settings;
    const retained = pem.get(name)?.entry.certificate;
    return (
      retained !== undefined &&
      pem.absentForMs(name) < absentGraceMs &&
      datesProblem(retained, clock.date()) === undefined &&
      retained.notAfterMs > clock.date() + absentGraceMs
    );
  }

  /** Undefined where none is to be looked up. */
  #wildcardAbove(name: ServerName): ServerName | undefined {
    return this.#settings.wildcards ? wildcardOf(name) : undefined;
  }

  async #isServedBy(wildcard: ServerName, starter: Starter): Promise<ServedAbove> {
    const { pem, clock, resolve } = this.#parts;
    const resolution = await resolve(wildcard, { name: wildcard, phase: 'lookup', ...starter });
    if (isServed({ resolution, held: pem.get(wildcard)?.entry.certificate }, clock.date())) return 'yes';
    return resolution.kind === 'pending' ? 'unknown' : 'no';
  }

  /** What is retained of a name that the authority had, and is valid now: a copy that nobody brings up to date may be behind it. */
  #authoritys(name: ServerName): CertificateHalf[] {
    const { pem, clock } = this.#parts;
    const retained = pem.get(name)?.entry;
    const origin = this.#sources.find((source) => source.name === retained?.origin);
    if (retained === undefined || origin?.role !== 'authority') return [];
    return retained.certificate.pairs.filter((half) => datesProblem(half, clock.date()) === undefined);
  }

  #isCopy(tier: Tier | undefined): boolean {
    return this.#sources.some(({ name, role }) => name === tier && role === 'copy');
  }

  /** Logs what is wrong with a certificate once, not with each look-up. */
  #note(log: Logger, name: ServerName, source: string, { kind, reason, fingerprint }: Remark): void {
    const key = `${name} ${source} ${fingerprint ?? ''} ${reason}`;
    if (this.#remarked.has(key)) return;
    this.#remarked.set(key, true);
    log.err(`certificate of ${source} is ${kind}`, {
      name,
      reason,
      ...(fingerprint !== undefined && { fingerprint }),
    });
  }
}
