/**
 * The manager as a source: every name is asked for with a query, and only what the query leaves open is ordered.
 *
 * 1. A name that is being ordered: `pending`, without a request.
 * 2. `GET {root}/domain/NAME/config.json?openresty=1`, which also makes the manager write the certificate to Redis.
 *    A 500 as plain text is what a manager of prime style 2 says of a known name without certificate. The same question without
 *    `openresty=1` does not prime: its answer tells the two apart.
 * 3. With autocert: an order may follow what the query said (the rules are in `autocert.ts`).
 *
 * So a name that has a certificate never goes through the ordering path again, and an outage orders nothing.
 */
import type { ManagerSettings } from '../../config/settings.js';
import { describeError } from '../../domain/errors.js';
import type { SourceInspection } from '../../domain/inspection.js';
import type { Lookup } from '../../domain/lookup.js';
import type { ServerName } from '../../domain/server-name.js';
import type { Logger } from '../../log/logger.js';
import { Autocert, type AutocertOptions, type OrderLoad } from './autocert.js';
import { ManagerClient, type ManagerTimeouts } from './client.js';
import { IMPOSSIBLE_NAME, troubleOf } from './impossible-name.js';
import { interpretOrder, interpretQuery, type OrderVerdict, type QueryVerdict } from './schema.js';
import type { CertificateSource, LookupContext, SourceCheck } from '../source.js';

/** The certificate of an order is of use even when the one that started it has stopped waiting. */
const MIN_ORDER_MS = 120_000;

export interface ManagerSourceOptions {
  readonly settings: ManagerSettings;
  readonly log: Logger;
  /** The clock, milliseconds. */
  readonly now: () => number;
  readonly timeouts?: Partial<ManagerTimeouts>;
  /** Whether the default certificate covers a name, which is then not ordered. */
  isCovered?(this: void, name: ServerName): boolean;
  /** See `Autocert`. */
  readonly onOrder?: AutocertOptions['onOrder'];
}

export class ManagerSource implements CertificateSource {
  readonly name = 'manager';
  readonly role = 'authority';
  readonly #settings: ManagerSettings;
  readonly #client: ManagerClient;
  readonly #autocert: Autocert | undefined;

  constructor({ settings, log, now, timeouts, isCovered, onOrder }: ManagerSourceOptions) {
    const { server, prefix, caPem, credentials, autocert } = settings;
    this.#settings = settings;
    this.#client = new ManagerClient({
      origin: server.origin,
      prefix,
      ...(caPem !== undefined && { caPem }),
      ...(credentials !== undefined && { credentials }),
      orderConnections: autocert?.concurrency ?? 1,
      timeouts: {
        connectMs: 2_000,
        headersMs: 10_000,
        bodyMs: 10_000,
        orderMs: Math.max(autocert?.timeoutMs ?? 0, MIN_ORDER_MS),
        askMs: 2_000,
        ...timeouts,
      },
    });
    if (autocert === undefined) return;
    this.#autocert = new Autocert({
      settings: autocert,
      orderClient: {
        order: (name) => this.#order(name),
        ask: (url, name, signal) => this.#client.ask(url, name, signal),
      },
      log,
      now,
      ...(isCovered !== undefined && { isCovered }),
      ...(onOrder !== undefined && { onOrder }),
    });
  }

  /**
   * Takes over the hold-offs and the orders of the source that this one replaces when the settings have been read again. To be
   * called before any look-up, and only when it is certain that it does: there is no way back.
   */
  takeOver(previous: ManagerSource): void {
    if (previous.#autocert !== undefined) this.#autocert?.takeOver(previous.#autocert);
  }

  async lookup(name: ServerName, context: LookupContext): Promise<Lookup> {
    try {
      // Without priming: that would mend what a person wants to look at.
      if (context.isInspection === true) {
        return (await this.#ask(name, { primes: false }, context.signal)).lookup;
      }
      if (this.#autocert?.isOrdering(name) === true) {
        return { kind: 'pending', reason: 'the name is being ordered' };
      }
      const query = await this.#query(name, context.signal);
      return this.#autocert === undefined ? query.lookup : await this.#autocert.follow(name, query, context);
    } catch (error) {
      return { kind: 'unavailable', reason: describeError(error), scope: 'name' };
    }
  }

  /** Asks for a name that cannot exist: a manager answers that it does not know it. */
  async check(): Promise<SourceCheck> {
    const { lookup } = await this.#query(IMPOSSIBLE_NAME);
    const reason = troubleOf(lookup);
    return reason === undefined
      ? { ok: true }
      : { ok: false, reason: `the manager at ${this.#settings.root}: ${reason}` };
  }

  async inspect(name: ServerName, { signal }: { readonly signal: AbortSignal }): Promise<SourceInspection> {
    const orders = (await this.#autocert?.inspect(name, signal)) ?? {
      isEnabled: false,
      heldMs: 0,
      activeElsewhereMs: 0,
    };
    return { orders, remarks: [] };
  }

  /** The names that are being ordered now, those in the queue included. */
  ordering(): ServerName[] {
    return this.#autocert?.ordering() ?? [];
  }

  /** Undefined: it orders nothing. */
  get orderLoad(): OrderLoad | undefined {
    return this.#autocert?.load;
  }

  /** See `Autocert`. */
  challengeMissed(name: ServerName): void {
    this.#autocert?.challengeMissed(name);
  }

  forget(name?: ServerName): void {
    this.#autocert?.forget(name);
  }

  async close(): Promise<void> {
    this.#autocert?.close();
    await this.#client.close();
  }

  async #query(name: ServerName, signal?: AbortSignal): Promise<QueryVerdict> {
    const verdict = await this.#ask(name, { primes: true }, signal);
    if (verdict.mayOrder !== 'unless-known') return verdict;
    const plain = await this.#ask(name, { primes: false }, signal);
    return plain.lookup.kind === 'unavailable' ? verdict : plain;
  }

  async #ask(
    name: ServerName,
    options: { readonly primes: boolean },
    signal: AbortSignal | undefined,
  ): Promise<QueryVerdict> {
    const path = this.#client.queryPath(name);
    const answer = await this.#client.query(path, options, signal);
    if ('failure' in answer) {
      return { lookup: { kind: 'unavailable', reason: answer.failure, scope: 'source' }, mayOrder: 'no' };
    }
    return interpretQuery(answer, name, path, this.#settings.preferences);
  }

  async #order(name: ServerName): Promise<OrderVerdict> {
    const answer = await this.#client.order(name);
    if ('failure' in answer) return { kind: 'failed', reason: answer.failure };
    return interpretOrder(answer, name, this.#settings.preferences);
  }
}
