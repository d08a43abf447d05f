/**
 * A worker's choice of the certificate for a handshake: its own LRU, then the primary, then the default.
 *
 * A hit is answered at once. A miss asks the primary, once a name and phase however many handshakes wait: the answer is kept
 * for `lruCacheDurationMs` (or less, where the primary says so). The first of those who wait is the one that may wait for
 * an order; the others go on with the last good certificate, else the default.
 *
 * What the primary says is followed, also when it is "nobody can tell": it keeps the last good certificate itself, and a
 * name that was expired by hand must not come back from a stale entry here. A stale entry serves only where the primary does
 * not answer: a handshake that has one waits for the primary no longer than a refresh takes there, and while the primary is
 * known to be late nobody waits at all.
 *
 * Where a context has one kind of key, and the client's ClientHello says that it can use the other kind alone, the primary is
 * asked for that half. What it says is for all clients; that there is none is kept for `lruCacheDurationMs`.
 *
 * A certificate that cannot be built here is reported to the primary, which looks for another one; the second time the
 * default goes out, and for `errorCacheDurationMs` nobody tries again.
 */
import { canUseKey } from '../tls/client-keys.js';
import { buildContext, setTicketKeys } from '../tls/secure-context.js';
import type { ChosenCertificate } from '../tls/terminate.js';
import type { SecureContext } from 'node:tls';
import type { WorkerSettings } from '../config/worker-settings.js';
import { SecureContextCache, type ContextEntry } from '../caches/secure-context-cache.js';
import { startUnrefTimer, type StartTimer } from '../base/timer.js';
import { kindMissingIn, otherKind, type CertificateBundle } from '../domain/certificate.js';
import type { Clock } from '../base/clock.js';
import type { HotCertificate } from '../domain/cache-status.js';
import { describeError } from '../domain/errors.js';
import { TIER_CACHE, TIER_LRU, type Resolution, type ResolveRequest, type Tier } from '../domain/lookup.js';
import { isWildcard, type ServerName } from '../domain/server-name.js';
import type { Logger } from '../log/logger.js';
import { buildDefaultContexts, type DefaultContexts } from './default-contexts.js';
import { PrimaryBreaker } from './primary-breaker.js';

export interface CertificatesParts {
  /** Asks the primary. Rejects with a ProxyError when there is no answer in time. */
  ask(params: ResolveRequest, deadlineMs: number): Promise<Resolution>;
  readonly log: Logger;
  readonly clock: Clock;
  /** @default a timer that does not keep the process alive */
  readonly startTimer?: StartTimer;
}

type StaleEntry = ContextEntry<SecureContext> | undefined;

/**
 * What one question to the primary has come to, for handshakes of every listener. No choice: the default. `order`: the one
 * who asked may wait for an order.
 */
interface Answer {
  readonly choice: ChosenCertificate | undefined;
  readonly order: boolean;
}

/** A certificate that OpenSSL has something against. */
class Refusal {
  constructor(
    readonly fingerprint: string,
    readonly reason: string,
  ) {}
}

/** The primary keeps the time of a look-up itself; this much later we give up on the primary. */
const BUS_GRACE_MS = 250;

export class Certificates {
  readonly #parts: CertificatesParts;
  readonly #startTimer: StartTimer;
  readonly #cache: SecureContextCache<SecureContext>;
  readonly #breaker: PrimaryBreaker;
  readonly #asking = new Map<ServerName, Promise<Answer>>();
  /** For the other half of what is there. */
  readonly #completing = new Map<ServerName, Promise<Answer>>();
  #settings: WorkerSettings;
  #ticketKeys: Buffer;
  #defaults: DefaultContexts;
  /** Raised by whatever overtakes answers to earlier questions: they are then not kept. */
  #epoch = 0;

  constructor(parts: CertificatesParts, settings: WorkerSettings) {
    this.#parts = parts;
    this.#startTimer = parts.startTimer ?? startUnrefTimer;
    this.#breaker = new PrimaryBreaker(parts.log, parts.clock.now);
    this.#settings = settings;
    this.#ticketKeys = Buffer.from(settings.ticketKeys, 'base64');
    this.#defaults = buildDefaultContexts(settings, this.#ticketKeys, parts.clock.date());
    this.#cache = new SecureContextCache({
      maxNames: settings.lruMaxItems,
      maxNegatives: settings.negativeMaxItems,
      now: parts.clock.now,
    });
  }

  /** Names with a context in the LRU. */
  get size(): number {
    return this.#cache.size;
  }

  /**
   * The certificate for a handshake. Never rejects.
   *
   * @param name undefined without a valid server name: the default certificate, and nobody is asked.
   * @param client the client's address.
   * @param listener its index: it may have a default certificate of its own.
   * @param hello the bytes of the ClientHello. Without them the client is taken for one that can use any key.
   */
  choose(
    name: ServerName | undefined,
    client: string,
    listener = 0,
    hello?: Buffer,
  ): ChosenCertificate | Promise<ChosenCertificate> {
    if (name === undefined) return this.#defaultOf(listener);
    const hit = this.#cache.get(name);
    switch (hit?.state) {
      case 'fresh':
        return this.#isOfUse(hit.entry, hello)
          ? { context: hit.entry.context, tier: TIER_LRU }
          : this.#complete(name, client, listener, hit.entry);
      case 'negative':
        return this.#defaultOf(listener);
      case 'stale':
        return this.#chooseForHello(name, client, listener, hit.entry, hello);
      case undefined:
        return this.#chooseForHello(name, client, listener, undefined, hello);
    }
  }

  /**
   * Takes new settings for the next handshakes. What is in the LRU is looked up afresh, and serves on until then.
   *
   * @throws when a default certificate cannot be served.
   */
  configure(settings: WorkerSettings): void {
    const ticketKeys = Buffer.from(settings.ticketKeys, 'base64');
    // First, since it may throw: then all stays as it was.
    this.#defaults = buildDefaultContexts(settings, ticketKeys, this.#parts.clock.date());
    this.#settings = settings;
    this.#cache.resize(settings.lruMaxItems, settings.negativeMaxItems);
    if (!ticketKeys.equals(this.#ticketKeys)) this.#takeTicketKeys(ticketKeys);
    this.makeStale(undefined);
  }

  /** Rotates the session-ticket keys: live in every context, without parsing one again. */
  setTicketKeys(keys: string): void {
    this.#takeTicketKeys(Buffer.from(keys, 'base64'));
    const { common, own } = this.#defaults;
    for (const choice of [common, ...own]) if (choice) setTicketKeys(choice.context, this.#ticketKeys);
  }

  /** Puts a certificate in that the primary has, before anybody asks for it. */
  warm({ name, ...found }: HotCertificate): void {
    this.#take(name, { kind: 'found', ...found }, undefined, true);
  }

  /** Drops a name, or everything. Only the opt-in `--expire-workers` comes here. */
  expire(name: ServerName | undefined): void {
    this.#overtake(name === undefined ? undefined : [name]);
    if (name === undefined) this.#cache.clear();
    else this.#cache.delete(name);
  }

  /** These names, or (undefined) all, are looked up afresh; what is at hand serves on while the primary does not answer. */
  makeStale(names: readonly ServerName[] | undefined): void {
    this.#overtake(names);
    this.#cache.makeStale(names);
  }

  #overtake(names: readonly ServerName[] | undefined): void {
    this.#epoch++;
    for (const asking of [this.#asking, this.#completing]) {
      if (names === undefined || names.some(isWildcard)) asking.clear();
      else for (const name of names) asking.delete(name);
    }
  }

  #takeTicketKeys(keys: Buffer): void {
    this.#ticketKeys = keys;
    for (const context of this.#cache.contexts()) setTicketKeys(context, keys);
  }

  #defaultOf(listener: number): ChosenCertificate {
    return this.#defaults.own[listener] ?? this.#defaults.common;
  }

  /** Whether the client can use what is there, or there is nothing else for it. */
  #isOfUse({ missingKind, noHalfUntilMs }: ContextEntry<SecureContext>, hello: Buffer | undefined): boolean {
    if (missingKind === undefined || hello === undefined) return true;
    if (canUseKey(hello, otherKind(missingKind)) || !canUseKey(hello, missingKind)) return true;
    return this.#parts.clock.now() < noHalfUntilMs;
  }

  #chooseForHello(
    name: ServerName,
    client: string,
    listener: number,
    stale: StaleEntry,
    hello: Buffer | undefined,
  ): ChosenCertificate | Promise<ChosenCertificate> {
    const chosen = this.#chooseWithPrimary(name, client, listener, stale);
    if (!(chosen instanceof Promise) || hello === undefined) return chosen;
    return chosen.then((choice) => {
      const hit = this.#cache.get(name);
      const isKept = hit?.state === 'fresh' && hit.entry.context === choice.context;
      if (!isKept || this.#isOfUse(hit.entry, hello)) return choice;
      return this.#complete(name, client, listener, hit.entry);
    });
  }

  /** Asks for the half that an entry lacks. Without an answer the entry has to do. */
  async #complete(
    name: ServerName,
    client: string,
    listener: number,
    entry: ContextEntry<SecureContext>,
  ): Promise<ChosenCertificate> {
    const { missingKind } = entry;
    if (missingKind === undefined || this.#breaker.isOpen) return { context: entry.context, tier: TIER_LRU };
    const joined = this.#completing.get(name);
    const asking = joined ?? this.#question({ name, phase: 'lookup', client, wants: missingKind }, entry);
    this.#completing.set(name, asking);
    try {
      return (await asking).choice ?? this.#defaultOf(listener);
    } finally {
      if (this.#completing.get(name) === asking) this.#completing.delete(name);
    }
  }

  #chooseWithPrimary(
    name: ServerName,
    client: string,
    listener: number,
    stale: StaleEntry,
  ): ChosenCertificate | Promise<ChosenCertificate> {
    if (!this.#breaker.isOpen) return this.#askOrElse(name, client, listener, stale);
    // Behind the handshake: it never rejects.
    if (this.#breaker.mayProbe()) void this.#ask(name, client, stale);
    return choiceOf(stale) ?? this.#defaultOf(listener);
  }

  async #askOrElse(
    name: ServerName,
    client: string,
    listener: number,
    stale: StaleEntry,
  ): Promise<ChosenCertificate> {
    const asked = this.#ask(name, client, stale);
    const choice = stale === undefined ? await asked : await this.#atTheLatest(asked, stale);
    return choice ?? this.#defaultOf(listener);
  }

  /** The primary's answer, or the stale entry when that takes longer than a refresh does at the primary. */
  async #atTheLatest(
    asked: Promise<ChosenCertificate | undefined>,
    stale: NonNullable<StaleEntry>,
  ): Promise<ChosenCertificate | undefined> {
    let cancel = (): void => undefined;
    const overdue = new Promise<ChosenCertificate | undefined>((resolve) => {
      const patienceMs = this.#settings.refreshTimeoutMs + BUS_GRACE_MS;
      cancel = this.#startTimer(() => resolve(choiceOf(stale)), patienceMs);
    });
    try {
      return await Promise.race([asked, overdue]);
    } finally {
      cancel();
    }
  }

  async #ask(name: ServerName, client: string, stale: StaleEntry): Promise<ChosenCertificate | undefined> {
    const joined = this.#asking.get(name);
    if (joined !== undefined) return (await joined).choice;
    const asking = this.#question({ name, phase: 'lookup', client }, stale);
    this.#asking.set(name, asking);
    try {
      const { choice, order } = await asking;
      if (!order) return choice;
    } finally {
      if (this.#asking.get(name) === asking) this.#asking.delete(name);
    }
    return (await this.#question({ name, phase: 'order', client }, stale)).choice;
  }

  /** @param epoch that of the handshake: what has been overtaken since is not kept. */
  async #question(params: ResolveRequest, stale: StaleEntry, epoch = this.#epoch): Promise<Answer> {
    const { lookupTimeoutMs, autocertTimeoutMs } = this.#settings;
    const { name, phase, refused } = params;
    const patienceMs = phase === 'order' ? autocertTimeoutMs : lookupTimeoutMs;
    let resolution: Resolution;
    try {
      resolution = await this.#parts.ask(
        stale === undefined ? params : { ...params, fingerprint: stale.fingerprint },
        patienceMs + BUS_GRACE_MS,
      );
    } catch (thrown) {
      this.#breaker.failed(thrown);
      return { choice: choiceOf(stale), order: false };
    }
    this.#breaker.succeeded();
    const mayKeep = epoch === this.#epoch;
    const taken = this.#take(name, resolution, stale, mayKeep);
    if (taken instanceof Refusal) {
      const { fingerprint, reason } = taken;
      if (refused === undefined)
        return this.#question({ ...params, refused: { fingerprint, reason } }, stale, epoch);
      const { errorCacheDurationMs } = this.#settings;
      if (mayKeep) this.#cache.setNegative(name, { kind: 'error', reason }, errorCacheDurationMs);
      return { choice: undefined, order: false };
    }
    const starter = resolution.kind === 'pending' && resolution.starter === true;
    // Who has an earlier certificate to go on with need not wait for the order.
    return { choice: taken, order: starter && taken === undefined };
  }

  /**
   * Keeps what the primary said, and says what to serve; undefined for the default.
   *
   * @param mayKeep false once the answer has been overtaken: what is in the LRU now is newer.
   */
  #take(
    name: ServerName,
    resolution: Resolution,
    stale: StaleEntry,
    mayKeep: boolean,
  ): ChosenCertificate | Refusal | undefined {
    const cache = this.#cache;
    const limitMs = 'keepMs' in resolution ? (resolution.keepMs ?? Infinity) : Infinity;
    const keepMs = (notAfterMs = Infinity): number => {
      const validMs = notAfterMs - this.#parts.clock.date();
      // An expired certificate that is served for want of a better one has a `keepMs` of its own.
      return Math.min(this.#settings.lruCacheDurationMs, limitMs, validMs > 0 ? validMs : Infinity);
    };
    switch (resolution.kind) {
      case 'found': {
        const { certificate, tier, noHalfMs } = resolution;
        const { fingerprint, notAfterMs } = certificate;
        const context = this.#build(name, certificate, tier);
        if (context instanceof Refusal) return context;
        const ttlMs = keepMs(notAfterMs);
        const missingKind = kindMissingIn(certificate);
        if (mayKeep && ttlMs > 0) {
          cache.setContext(name, { context, fingerprint, tier, notAfterMs, missingKind }, ttlMs);
          this.#restHalf(name, noHalfMs);
        }
        return { context, tier };
      }
      case 'unchanged': {
        if (stale === undefined) return undefined;
        const ttlMs = keepMs(stale.notAfterMs);
        if (mayKeep && ttlMs > 0) {
          cache.refresh(name, ttlMs, resolution.tier);
          this.#restHalf(name, resolution.noHalfMs);
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
        return context instanceof Refusal ? undefined : { context, tier: TIER_CACHE };
      }
    }
  }

  /** @param noHalfMs undefined: nobody has asked for the other half. */
  #restHalf(name: ServerName, noHalfMs: number | undefined): void {
    if (noHalfMs !== undefined)
      this.#cache.setNoHalf(name, Math.min(noHalfMs, this.#settings.lruCacheDurationMs));
  }

  #build(name: ServerName, certificate: CertificateBundle, tier: Tier): SecureContext | Refusal {
    try {
      return buildContext(certificate, this.#ticketKeys);
    } catch (thrown) {
      const error = describeError(thrown);
      this.#parts.log.err('certificate cannot be served', { name, tier, error });
      return new Refusal(certificate.fingerprint, error);
    }
  }
}

function choiceOf(stale: StaleEntry): ChosenCertificate | undefined {
  return stale === undefined ? undefined : { context: stale.context, tier: TIER_LRU };
}
