/**
 * A worker's choice of the certificate for a handshake: its own LRU, then the primary, then the default.
 *
 * A hit is answered at once. A miss asks the primary, once a name and phase however many handshakes wait: the answer is kept
 * for `lruCacheDurationMs` (or less, where the primary says so). The first of those who wait is the one that may wait for
 * an order; the others go on with the last good certificate, else the default.
 *
 * What the primary says is followed, also when it is "nobody can tell": it keeps the last good certificate itself, and a
 * name that was expired by hand must not come back from a lapsed entry here. Only when the primary itself does not answer
 * in time does a lapsed entry serve on.
 *
 * A certificate that OpenSSL will not serve (a key too small for its security level, say) counts as an error: the default
 * goes out, and for `errorCacheDurationMs` nobody tries again.
 */
import { buildContext, setTicketKeys } from '../tls/contexts.js';
import type { Choice } from '../tls/listener.js';
import type { SecureContext } from 'node:tls';
import type { WorkerSettings, WorkerToPrimary } from '../bus/messages.js';
import { SecureContextCache, type ContextEntry } from '../caches/secure-context-cache.js';
import { examine, type CertificateBundle, type CertificatePair } from '../domain/certificate.js';
import { describeError, ProxyError } from '../domain/errors.js';
import { TIER_CACHE, TIER_DEFAULT, TIER_LRU, type Resolution, type Tier } from '../domain/lookup.js';
import type { ServerName } from '../domain/server-name.js';
import type { Logger } from '../log.js';

type ResolveParams = WorkerToPrimary['resolve']['params'];

export interface CertificatesParts {
  /** Asks the primary. Rejects with a ProxyError when there is no answer in time. */
  ask(params: ResolveParams, deadlineMs: number): Promise<Resolution>;
  readonly log: Logger;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * What one question to the primary has come to, for handshakes of every listener. No choice: the default. `order`: the one
 * who asked may wait for an order.
 */
interface Answer {
  readonly choice: Choice | undefined;
  readonly order: boolean;
}

interface Defaults {
  readonly common: Choice;
  /** By the index of the listener. */
  readonly own: readonly (Choice | undefined)[];
}

/** The primary keeps the time of a look-up itself; this much later we give up on the primary. */
const BUS_GRACE_MS = 250;

export class Certificates {
  readonly #parts: CertificatesParts;
  readonly #cache: SecureContextCache<SecureContext>;
  readonly #asking = new Map<ServerName, Promise<Answer>>();
  #settings: WorkerSettings;
  #ticketKeys: Buffer;
  #defaults: Defaults;
  /** Raised by whatever empties the LRU: answers to earlier questions are then not kept. */
  #epoch = 0;

  constructor(parts: CertificatesParts, settings: WorkerSettings) {
    this.#parts = parts;
    this.#settings = settings;
    this.#ticketKeys = Buffer.from(settings.ticketKeys, 'base64');
    this.#defaults = this.#buildDefaults(settings, this.#ticketKeys);
    this.#cache = new SecureContextCache({
      maxNames: settings.lruMaxItems,
      maxNegatives: settings.negativeMaxItems,
      now: parts.now,
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
   */
  choose(name: ServerName | undefined, client: string, listener = 0): Choice | Promise<Choice> {
    if (name === undefined) return this.#defaultOf(listener);
    const hit = this.#cache.get(name);
    switch (hit?.state) {
      case 'fresh':
        return { context: hit.entry.context, tier: TIER_LRU };
      case 'negative':
        return this.#defaultOf(listener);
      case 'lapsed':
        return this.#askOrDefault(name, client, listener, hit.entry);
      case undefined:
        return this.#askOrDefault(name, client, listener, undefined);
    }
  }

  /**
   * Takes new settings for the next handshakes and empties the LRU.
   *
   * @throws when a default certificate cannot be served.
   */
  configure(settings: WorkerSettings): void {
    const ticketKeys = Buffer.from(settings.ticketKeys, 'base64');
    // First, since it may throw: then all stays as it was.
    this.#defaults = this.#buildDefaults(settings, ticketKeys);
    this.#epoch++;
    this.#settings = settings;
    this.#ticketKeys = ticketKeys;
    this.#asking.clear();
    this.#cache.clear();
    this.#cache.resize(settings.lruMaxItems, settings.negativeMaxItems);
  }

  /** Rotates the session-ticket keys: live in every context, without parsing one again. */
  setTicketKeys(keys: string): void {
    this.#ticketKeys = Buffer.from(keys, 'base64');
    const { common, own } = this.#defaults;
    for (const choice of [common, ...own]) if (choice) setTicketKeys(choice.context, this.#ticketKeys);
    for (const context of this.#cache.contexts()) setTicketKeys(context, this.#ticketKeys);
  }

  /** Drops a name, or everything. Only the opt-in `--expire-workers` comes here. */
  expire(name: ServerName | undefined): void {
    this.#epoch++;
    if (name === undefined) {
      this.#asking.clear();
      this.#cache.clear();
    } else {
      this.#asking.delete(name);
      this.#cache.delete(name);
    }
  }

  #defaultOf(listener: number): Choice {
    return this.#defaults.own[listener] ?? this.#defaults.common;
  }

  async #askOrDefault(
    name: ServerName,
    client: string,
    listener: number,
    lapsed: ContextEntry<SecureContext> | undefined,
  ): Promise<Choice> {
    return (await this.#ask(name, client, lapsed)) ?? this.#defaultOf(listener);
  }

  async #ask(
    name: ServerName,
    client: string,
    lapsed: ContextEntry<SecureContext> | undefined,
  ): Promise<Choice | undefined> {
    const joined = this.#asking.get(name);
    if (joined !== undefined) return (await joined).choice;
    const asking = this.#question(name, client, 'lookup', lapsed);
    this.#asking.set(name, asking);
    try {
      const { choice, order } = await asking;
      if (!order) return choice;
    } finally {
      if (this.#asking.get(name) === asking) this.#asking.delete(name);
    }
    return (await this.#question(name, client, 'order', lapsed)).choice;
  }

  async #question(
    name: ServerName,
    client: string,
    phase: ResolveParams['phase'],
    lapsed: ContextEntry<SecureContext> | undefined,
  ): Promise<Answer> {
    const { log } = this.#parts;
    const epoch = this.#epoch;
    const { lookupTimeoutMs, autocertTimeoutMs } = this.#settings;
    const patienceMs = phase === 'order' ? autocertTimeoutMs : lookupTimeoutMs;
    try {
      const resolution = await this.#parts.ask(
        { name, phase, client, ...(lapsed === undefined ? {} : { fingerprint: lapsed.fingerprint }) },
        patienceMs + BUS_GRACE_MS,
      );
      const choice = this.#take(name, resolution, lapsed, epoch === this.#epoch);
      const starter = resolution.kind === 'pending' && resolution.starter === true;
      // Who has an earlier certificate to go on with need not wait for the order.
      return { choice, order: starter && choice === undefined };
    } catch (thrown) {
      const code = thrown instanceof ProxyError ? thrown.code : 'ERR_INTERNAL';
      log.err('certificate not resolved', { name, code, error: describeError(thrown) });
      const choice = lapsed === undefined ? undefined : { context: lapsed.context, tier: TIER_LRU };
      return { choice, order: false };
    }
  }

  /**
   * Keeps what the primary said, and says what to serve; undefined for the default.
   *
   * @param mayKeep false once the LRU has been emptied since the question: what is in it now is newer than this answer.
   */
  #take(
    name: ServerName,
    resolution: Resolution,
    lapsed: ContextEntry<SecureContext> | undefined,
    mayKeep: boolean,
  ): Choice | undefined {
    const cache = this.#cache;
    const limitMs = 'keepMs' in resolution ? (resolution.keepMs ?? Infinity) : Infinity;
    const keepMs = (notAfterMs = Infinity): number => {
      const validMs = notAfterMs - this.#parts.now();
      // An expired certificate that is served for want of a better one has a `keepMs` of its own.
      return Math.min(this.#settings.lruCacheDurationMs, limitMs, validMs > 0 ? validMs : Infinity);
    };
    switch (resolution.kind) {
      case 'found': {
        const { certificate, tier } = resolution;
        const { fingerprint, notAfterMs } = certificate;
        const context = this.#build(name, certificate, tier, mayKeep);
        if (context === undefined) return undefined;
        const ttlMs = keepMs(notAfterMs);
        if (mayKeep && ttlMs > 0) cache.setContext(name, { context, fingerprint, tier, notAfterMs }, ttlMs);
        return { context, tier };
      }
      case 'unchanged': {
        if (lapsed === undefined) return undefined;
        const ttlMs = keepMs(lapsed.notAfterMs);
        if (mayKeep && ttlMs > 0) cache.refresh(name, ttlMs, resolution.tier);
        return { context: lapsed.context, tier: resolution.tier };
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
        if (lastGood.kind === 'unchanged') {
          return lapsed === undefined ? undefined : { context: lapsed.context, tier: TIER_LRU };
        }
        const context = this.#build(name, lastGood.certificate, TIER_CACHE, mayKeep);
        return context === undefined ? undefined : { context, tier: TIER_CACHE };
      }
    }
  }

  /** Builds a context; undefined, which is logged and remembered, when OpenSSL has something against the certificate. */
  #build(
    name: ServerName,
    certificate: CertificateBundle,
    tier: Tier,
    mayKeep: boolean,
  ): SecureContext | undefined {
    try {
      return buildContext(certificate, this.#ticketKeys);
    } catch (thrown) {
      const error = describeError(thrown);
      this.#parts.log.err('certificate cannot be served', { name, tier, error });
      const { errorCacheDurationMs } = this.#settings;
      if (mayKeep) this.#cache.setNegative(name, { kind: 'error', reason: error }, errorCacheDurationMs);
      return undefined;
    }
  }

  #buildDefaults({ defaultPairs, listenerPairs }: WorkerSettings, ticketKeys: Buffer): Defaults {
    const build = (pairs: readonly CertificatePair[]): Choice => {
      const verdict = examine(pairs, undefined, this.#parts.now());
      if (verdict.kind === 'unusable') {
        throw new ProxyError('ERR_USAGE', `default certificate: ${verdict.reason}`);
      }
      return { context: buildContext(verdict.bundle, ticketKeys), tier: TIER_DEFAULT };
    };
    return {
      common: build(defaultPairs),
      own: listenerPairs.map((pairs) => (pairs === null ? undefined : build(pairs))),
    };
  }
}
