/**
 * The manager as a source: every name is asked for with a query, and only what the query leaves open is ordered.
 *
 * 1. A name that is being ordered: `pending`, without a request. So is one whose turn does not come: there are as many queries at
 *    once as there are connections for them, and clients take turns. What has not been sent says nothing of the manager.
 * 2. `GET {root}/domain/NAME/config.json?openresty=1`, which also makes the manager write the certificate to Redis.
 *    A 500 as plain text is what a manager of prime style 2 says of a known name without certificate. The same question without
 *    `openresty=1` does not prime: its answer tells the two apart.
 * 3. With autocert: an order may follow what the query said (the rules are in `autocert.ts`).
 *
 * So a name that has a certificate never goes through the ordering path again, and an outage orders nothing.
 */
import type { ManagerSettings } from '../../config/settings.js';
import { startUnrefTimer, type StartTimer } from '../../base/timer.js';
import { describeError } from '../../domain/errors.js';
import type { SourceInspection } from '../../domain/inspection.js';
import type { Lookup } from '../../domain/lookup.js';
import type { ServerName } from '../../domain/server-name.js';
import type { Logger } from '../../log/logger.js';
import { Autocert, type AutocertOptions, type OrderLoad } from './autocert.js';
import { ManagerClient, QUERY_CONNECTIONS, type ManagerTimeouts } from './client.js';
import { IMPOSSIBLE_NAME, troubleOf } from './impossible-name.js';
import { interpretOrder, interpretQuery, type OrderVerdict, type QueryVerdict } from './schema.js';
import { clientGroup } from '../../net/ip-bytes.js';
import { doubted } from '../doubtful-failure.js';
import { FairSlots } from './fair-slots.js';
import { withPatience } from '../../base/patience.js';
import type { CertificateSource, LookupContext, SourceCheck } from '../source.js';

/** The certificate of an order is of use even when the one that started it has stopped waiting. */
const MIN_ORDER_MS = 120_000;
const DEFAULT_MAX_WAIT_MS = 2_000;
/** For those whose answer says how the manager is, or what it knows, and primes nothing. */
const INSPECTION = { primes: false, isApart: true };

export interface ManagerSourceOptions {
  readonly settings: ManagerSettings;
  readonly log: Logger;
  /** The clock, milliseconds. */
  readonly now: () => number;
  readonly timeouts?: Partial<ManagerTimeouts>;
  /** How long a query may wait for its turn. @default 2000 */
  readonly maxWaitMs?: number;
  /** @default a timer that does not keep the process alive */
  readonly startTimer?: StartTimer;
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
  readonly #slots = new FairSlots({ atOnce: QUERY_CONNECTIONS });
  readonly #maxWaitMs: number;
  readonly #startTimer: StartTimer;

  constructor(options: ManagerSourceOptions) {
    const { settings, log, now, timeouts, isCovered, onOrder } = options;
    this.#maxWaitMs = options.maxWaitMs ?? DEFAULT_MAX_WAIT_MS;
    this.#startTimer = options.startTimer ?? startUnrefTimer;
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
        return (await this.#ask(name, INSPECTION, context.signal)).lookup;
      }
      if (this.#autocert?.isOrdering(name) === true) {
        return { kind: 'pending', reason: 'the name is being ordered' };
      }
      const query = await this.#queryInTurn(name, context);
      if (query === undefined) {
        return context.signal.aborted || this.#slots.isClosed
          ? doubted({ kind: 'unavailable', reason: 'the look-up was given up', scope: 'source' })
          : { kind: 'pending', reason: 'the manager is busy with other names' };
      }
      return this.#autocert === undefined ? query.lookup : await this.#autocert.follow(name, query, context);
    } catch (error) {
      return { kind: 'unavailable', reason: describeError(error), scope: 'name' };
    }
  }

  /** Asks for a name that cannot exist: a manager answers that it does not know it. */
  async check(): Promise<SourceCheck> {
    const { lookup } = await this.#ask(IMPOSSIBLE_NAME, INSPECTION, undefined);
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
    this.#slots.close();
    this.#autocert?.close();
    await this.#client.close();
  }

  /** @returns undefined where it was never sent. */
  async #queryInTurn(name: ServerName, { client, signal }: LookupContext): Promise<QueryVerdict | undefined> {
    const patience = { signal, maxWaitMs: this.#maxWaitMs, startTimer: this.#startTimer };
    // Look-ups without a client (the program's own) share one turn.
    const release = await withPatience(patience, (within) =>
      this.#slots.acquire(clientGroup(client ?? ''), within),
    );
    if (release === undefined) return undefined;
    try {
      return await this.#query(name, signal);
    } finally {
      release();
    }
  }

  async #query(name: ServerName, signal: AbortSignal): Promise<QueryVerdict> {
    const verdict = await this.#ask(name, { primes: true }, signal);
    if (verdict.mayOrder !== 'unless-known') return verdict;
    const plain = await this.#ask(name, { primes: false }, signal);
    return plain.lookup.kind === 'unavailable' ? verdict : plain;
  }

  async #ask(
    name: ServerName,
    options: { readonly primes: boolean; readonly isApart?: boolean },
    signal: AbortSignal | undefined,
  ): Promise<QueryVerdict> {
    const path = this.#client.queryPath(name);
    const answer = await this.#client.query(path, options, signal);
    if ('failure' in answer) {
      const lookup = { kind: 'unavailable', reason: answer.failure, scope: 'source' } as const;
      return { lookup: answer.wasReached === true ? doubted(lookup) : lookup, mayOrder: 'no' };
    }
    const verdict = interpretQuery(answer, name, path, this.#settings.preferences);
    return { ...verdict, lookup: doubted(verdict.lookup) };
  }

  async #order(name: ServerName): Promise<OrderVerdict> {
    const answer = await this.#client.order(name);
    if ('failure' in answer) return { kind: 'failed', reason: answer.failure };
    return interpretOrder(answer, name, this.#settings.preferences);
  }
}
