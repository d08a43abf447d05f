/**
 * A worker's choice of the certificate for a handshake: its own LRU, then the primary, then the default.
 *
 * A hit is answered at once. A miss goes to the primary (`primary-lookups.ts`), and its answer is kept (`resolved-contexts.ts`).
 *
 * Where a context has one kind of key, and the client's ClientHello says that it can use the other kind alone, the primary is
 * asked for that half. Its answer is for all clients; that there is none is kept for `lruCacheDurationMs`.
 */
import type { Clock } from '../base/clock.js';
import { startUnrefTimer, type StartTimer } from '../base/timer.js';
import type { Negative } from '../caches/negative-cache.js';
import { SecureContextCache } from '../caches/secure-context-cache.js';
import type { WorkerSettings } from '../config/worker-settings.js';
import type { HotCertificate } from '../domain/cache-status.js';
import type { DefaultReason } from '../domain/default-reason.js';
import type { WorkerFacts } from '../domain/inspection.js';
import { otherKind } from '../domain/key-class.js';
import type { Told } from '../domain/lookup.js';
import type { ServerName } from '../domain/server-name.js';
import type { Logger } from '../log/logger.js';
import { canUseKey } from '../tls/client-keys.js';
import { SessionTickets } from '../tls/session-tickets.js';
import type { Asker, ChosenCertificate } from '../tls/terminate.js';
import { buildDefaultContexts, type DefaultContexts } from './default-contexts.js';
import { PrimaryBreaker } from './primary-breaker.js';
import { PrimaryLookups, type PrimaryLookupsParts } from './primary-lookups.js';
import { ResolvedContexts, type Choice, type LruEntry } from './resolved-contexts.js';

/** Is told what the LRU has for handshakes. */
export interface LruObserver {
  onLru(this: void, had: 'fresh' | 'stale' | 'negative' | 'miss'): void;
  /** A context was dropped for want of room. */
  onEvict(this: void): void;
  /** A stale certificate is served, since the primary is late. */
  onPrimaryLate(this: void): void;
}

export interface CertificatesParts {
  /** Asks the primary, see `PrimaryLookupsParts`. */
  readonly ask: PrimaryLookupsParts['ask'];
  readonly log: Logger;
  readonly clock: Clock;
  /** @default a timer that does not keep the process alive */
  readonly startTimer?: StartTimer;
  readonly observer?: LruObserver;
}

/** Why a name that the LRU knows to have no certificate gets the default. */
const REMEMBERED: Readonly<Record<Negative['kind'], DefaultReason>> = {
  absent: 'absent-cached',
  error: 'unavailable-cached',
  refused: 'refused-by-openssl',
};

export class Certificates {
  readonly #clock: Clock;
  readonly #cache: SecureContextCache<ChosenCertificate>;
  readonly #tickets: SessionTickets;
  readonly #contexts: ResolvedContexts;
  readonly #lookups: PrimaryLookups;
  readonly #observer: LruObserver | undefined;
  readonly #breaker: PrimaryBreaker;
  #settings: WorkerSettings;
  #defaults: DefaultContexts;

  constructor(
    { ask, log, clock, startTimer = startUnrefTimer, observer }: CertificatesParts,
    settings: WorkerSettings,
  ) {
    const breaker = new PrimaryBreaker(log, clock.now);
    const tickets = new SessionTickets(keysOf(settings.ticketKeys));
    const currentSettings = (): WorkerSettings => this.#settings;
    this.#breaker = breaker;
    this.#clock = clock;
    this.#observer = observer;
    this.#settings = settings;
    this.#tickets = tickets;
    this.#defaults = buildDefaultContexts(settings, tickets, clock.date());
    this.#cache = new SecureContextCache({
      maxNames: settings.lruMaxItems,
      maxNegatives: settings.negativeMaxItems,
      now: clock.now,
      ...(observer !== undefined && { onEvict: observer.onEvict }),
    });
    const contexts = new ResolvedContexts({
      cache: this.#cache,
      tickets,
      log,
      clock,
      settings: currentSettings,
    });
    this.#contexts = contexts;
    this.#lookups = new PrimaryLookups({
      ask,
      breaker,
      contexts,
      startTimer,
      settings: currentSettings,
      ...(observer !== undefined && { onLate: observer.onPrimaryLate }),
    });
  }

  /** Names with a context in the LRU. */
  get size(): number {
    return this.#cache.size;
  }

  /** Names that are known to have none. */
  get negativeSize(): number {
    return this.#cache.negativeSize;
  }

  /**
   * The certificate for a handshake. Never rejects.
   *
   * @param name undefined without a valid server name: the default certificate, and nobody is asked.
   * @param listener its index: it may have a default certificate of its own.
   * @param hello the bytes of the ClientHello. Without them the client is taken for one that can use any key.
   */
  choose(
    name: ServerName | undefined,
    asker: Asker,
    listener = 0,
    hello?: Buffer,
  ): ChosenCertificate | Promise<ChosenCertificate> {
    if (name === undefined) return this.#defaultOf(listener, 'no-server-name');
    const hit = this.#cache.get(name);
    this.#observer?.onLru(hit?.state ?? 'miss');
    switch (hit?.state) {
      case 'fresh':
        return this.#isOfUse(hit.entry, hello)
          ? hit.entry.served
          : this.#chooseHalf(name, asker, listener, hit.entry);
      case 'negative':
        return this.#defaultOf(listener, REMEMBERED[hit.kind]);
      case 'stale':
        return this.#chooseForHello(name, asker, listener, hit.entry, hello);
      case undefined:
        return this.#chooseForHello(name, asker, listener, undefined, hello);
    }
  }

  /**
   * Takes new settings for the next handshakes. What is in the LRU is looked up afresh, and serves on until then.
   *
   * @throws when a default certificate cannot be served.
   */
  configure(settings: WorkerSettings): void {
    // First, since it may throw: then everything stays as it was.
    this.#defaults = buildDefaultContexts(settings, this.#tickets, this.#clock.date());
    this.#settings = settings;
    this.#cache.resize(settings.lruMaxItems, settings.negativeMaxItems);
    this.setTicketKeys(settings.ticketKeys);
    this.makeStale(undefined);
  }

  /** Rotates the session-ticket keys, in contexts that are in use as well. @param keys the one to seal with first, base64. */
  setTicketKeys(keys: readonly string[]): void {
    this.#tickets.take(keysOf(keys));
  }

  /** What the LRU has of a name, for a person. */
  inspect(name: ServerName): Omit<WorkerFacts, 'pid'> {
    return { ...this.#cache.inspect(name), isPrimaryLate: this.#breaker.isOpen };
  }

  /** Puts a certificate of the primary's cache into the LRU, before a handshake asks for it. */
  warm({ value: { name, ...found }, atMs }: Told<HotCertificate>): void {
    this.#contexts.take(name, { value: { kind: 'found', ...found }, atMs }, undefined, true);
  }

  /** Drops a name, or everything. Only the opt-in `--expire-workers` comes here. */
  expire(name: ServerName | undefined): void {
    this.#lookups.overtake(name === undefined ? undefined : [name]);
    if (name === undefined) this.#cache.clear();
    else this.#cache.delete(name);
  }

  /** These names, or (undefined) all, are looked up afresh; what is at hand serves on while the primary does not answer. */
  makeStale(names: readonly ServerName[] | undefined): void {
    this.#lookups.overtake(names);
    this.#cache.makeStale(names);
  }

  #defaultOf(listener: number, reason: DefaultReason): ChosenCertificate {
    return (this.#defaults.own[listener] ?? this.#defaults.common)[reason];
  }

  #served(choice: Choice, listener: number): ChosenCertificate {
    return typeof choice === 'string' ? this.#defaultOf(listener, choice) : choice;
  }

  /** Whether an entry will do for a client: it can use the entry's key, or there is no other certificate that it could use. */
  #isOfUse({ missingKind, noHalfUntilMs }: LruEntry, hello: Buffer | undefined): boolean {
    if (missingKind === undefined || hello === undefined) return true;
    if (canUseKey(hello, otherKind(missingKind)) || !canUseKey(hello, missingKind)) return true;
    return this.#clock.now() < noHalfUntilMs;
  }

  #chooseForHello(
    name: ServerName,
    asker: Asker,
    listener: number,
    stale: LruEntry | undefined,
    hello: Buffer | undefined,
  ): ChosenCertificate | Promise<ChosenCertificate> {
    const chosen = this.#chooseWithPrimary(name, asker, listener, stale);
    if (!(chosen instanceof Promise) || hello === undefined) return chosen;
    return chosen.then((choice) => {
      const hit = this.#cache.get(name);
      const isKept = hit?.state === 'fresh' && hit.entry.served.context === choice.context;
      if (!isKept || this.#isOfUse(hit.entry, hello)) return choice;
      return this.#chooseHalf(name, asker, listener, hit.entry);
    });
  }

  #chooseHalf(name: ServerName, asker: Asker, listener: number, entry: LruEntry): Promise<ChosenCertificate> {
    return this.#orDefault(this.#lookups.findHalf(name, asker, entry), listener);
  }

  #chooseWithPrimary(
    name: ServerName,
    asker: Asker,
    listener: number,
    stale: LruEntry | undefined,
  ): ChosenCertificate | Promise<ChosenCertificate> {
    const found = this.#lookups.find(name, asker, stale);
    return found instanceof Promise ? this.#orDefault(found, listener) : this.#served(found, listener);
  }

  async #orDefault(found: Promise<Choice>, listener: number): Promise<ChosenCertificate> {
    return this.#served(await found, listener);
  }
}

function keysOf(ticketKeys: readonly string[]): Buffer[] {
  return ticketKeys.map((key) => Buffer.from(key, 'base64'));
}
