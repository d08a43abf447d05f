/**
 * When a certificate is ordered, and what becomes of the order.
 *
 * Certificate authorities ban those who ask too often, and the manager has four threads, so an order is the exception:
 *
 * 1. Only a name that the manager has just said to have no certificate is ordered, or one that it answered with its
 *    ambiguous 500, provided that no certificate of it is known. An outage orders nothing.
 * 2. The name matches the allow-list, is no wildcard, has no underscore (the manager answers 500 to those), and the default
 *    certificate does not cover it: the manager asks its pool by such a name.
 * 3. One order a name at a time; whoever else asks meanwhile is answered `pending` at once.
 * 4. A name that was refused, failed or timed out is held off: `holdoffMs`, doubling with each failure in a row, up to
 *    four hours. So is one whose order succeeded, for `holdoffMs`: should its certificate be of no use, it is not ordered
 *    over and over. During a hold-off the query's own result stands.
 *    When the manager cannot order at all (no account, no policy), no name is to blame: nothing is ordered for a minute, then
 *    the next name tries it.
 *    When a challenge of the order reached us and could not be answered in time, the name is not to blame either: once it is
 *    held off for a minute only, and its second order runs with no other beside it.
 * 5. Somebody else is ordering it already: `pending`, looked at again after seconds.
 * 6. The ask URL, where there is one, answers 2xx.
 * 7. At most `concurrency` orders at once. Others queue, and clients take turns; there are bounds for the queue, for each client in
 *    it, and for the names below one parent. Who starts an order that is further back than `--autocert-timeout` reaches is not
 *    made to wait for it.
 *
 * An order is never cancelled by the one that started it going away: its certificate is wanted all the same.
 */
import type { AutocertSettings } from '../../config/settings.js';
import type { Lookup } from '../../domain/lookup.js';
import { isWildcard, matchesPattern, wildcardOf, type ServerName } from '../../domain/server-name.js';
import type { Logger } from '../../log/logger.js';
import { clientGroup } from '../../net/ip-bytes.js';
import { Backoff } from './backoff.js';
import type { Failure } from './client.js';
import type { OrderVerdict, QueryVerdict } from './schema.js';
import { OrderQueue, type OrderPlace, type OrderQueueLimits, type QueuedOrder } from './order-queue.js';
import type { LookupContext } from '../source.js';

/** How long a manager that cannot order is left alone. */
const UNABLE_MS = 60_000;
const MAX_HOLDOFF_MS = 4 * 3_600_000;
/** The hold-off after an order whose challenge we could not answer in time. */
const MISSED_CHALLENGE_MS = 60_000;
/**
 * How long an order that somebody else has under way is taken to be so. It doubles while the manager goes on saying so: it
 * says the same of a name whose attempts failed of late, for many minutes. Looking with queries goes on meanwhile.
 */
const ACTIVE_MS = 2_000;
const MAX_ACTIVE_MS = 60_000;
/** At five seconds an order and two at once, the whole is most of an hour's work, a client's part a minute's and a half. */
const QUEUE_LIMITS = { max: 1_000, maxPerClient: 50, maxPerParent: 100 } as const;
/** How long an order takes as a rule, until some were seen (the manager's own words: about five seconds). */
const USUAL_ORDER_MS = 5_000;
/** What the newest order counts for in that. */
const NEWEST_WEIGHT = 0.2;

/** How orders reach the manager. */
export interface OrderClient {
  order(name: ServerName): Promise<OrderVerdict>;
  ask(url: string, name: ServerName, signal: AbortSignal): Promise<'yes' | 'no' | Failure>;
}

export interface AutocertOptions {
  readonly settings: AutocertSettings;
  readonly orderClient: OrderClient;
  readonly log: Logger;
  /** The clock, milliseconds. */
  readonly now: () => number;
  readonly queueLimits?: OrderQueueLimits;
  /** Whether the default certificate covers a name, which is then not ordered. @default it covers none */
  isCovered?(this: void, name: ServerName): boolean;
}

/**
 * `asking`: whether it may be ordered. `queued`: waits for a slot. `missed`: runs, and a challenge of the name could not be
 * answered in time.
 */
type OrderStage = 'asking' | 'queued' | 'running' | 'missed';

/**
 * What is known of orders. When the settings have been read again, the one that takes over goes on with the same state, and
 * so do the orders that its predecessor has under way: no name is ordered by both, and no failure is forgotten.
 */
interface OrderState {
  /** Names on their way through an order. */
  readonly orders: Map<ServerName, OrderStage>;
  readonly active: Backoff;
  holdOff: Backoff;
  concurrency: number;
  running: number;
  readonly queue: OrderQueue<Autocert>;
  /** An order that runs with no other beside it. */
  alone: QueuedOrder<Autocert> | undefined;
  /** One that will, and waits for those that run to end; no other begins before. */
  nextAlone: QueuedOrder<Autocert> | undefined;
  /** How long orders take of late, milliseconds. */
  usualMs: number;
  /** The manager cannot order: why, and until when it is believed. */
  unable: { readonly message: string; readonly untilMs: number } | undefined;
}

export class Autocert {
  readonly #settings: AutocertSettings;
  readonly #orderClient: OrderClient;
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #isCovered: (name: ServerName) => boolean;
  #state: OrderState;
  #isClosed = false;

  constructor({ settings, orderClient, log, now, queueLimits = QUEUE_LIMITS, isCovered }: AutocertOptions) {
    this.#settings = settings;
    this.#orderClient = orderClient;
    this.#log = log;
    this.#now = now;
    this.#isCovered = isCovered ?? (() => false);
    this.#state = {
      orders: new Map(),
      active: new Backoff({ firstMs: ACTIVE_MS, maxMs: MAX_ACTIVE_MS, now }),
      holdOff: new Backoff({ firstMs: settings.holdoffMs, maxMs: MAX_HOLDOFF_MS, now }),
      concurrency: settings.concurrency,
      running: 0,
      queue: new OrderQueue(queueLimits),
      alone: undefined,
      nextAlone: undefined,
      usualMs: USUAL_ORDER_MS,
      unable: undefined,
    };
  }

  /** The names that are being ordered now, those in the queue included. */
  ordering(): ServerName[] {
    return [...this.#state.orders].filter(([, state]) => state !== 'asking').map(([name]) => name);
  }

  /** Whether the name is on its way through an order. */
  isOrdering(name: ServerName): boolean {
    return this.#state.orders.has(name);
  }

  /** A challenge of the name could not be answered in time: an order of it that runs now may fail for that. */
  challengeMissed(name: ServerName): void {
    if (this.#state.orders.get(name) === 'running') this.#state.orders.set(name, 'missed');
  }

  /**
   * Follows a query up with an order, if the rules above let it.
   *
   * @returns the query's own result where nothing was ordered; else what came of it. Settles early, with `unavailable`,
   *   when the context's signal aborts.
   */
  async follow(name: ServerName, query: QueryVerdict, context: LookupContext): Promise<Lookup> {
    if (query.mayOrder === 'no' || context.mayOrder === false) return query.lookup;
    const obstacle = this.#obstacleTo(name, query, context);
    if (obstacle !== undefined) {
      this.#log.info('not ordered', { name, reason: obstacle });
      return query.lookup;
    }
    if (this.#state.orders.has(name)) return { kind: 'pending', reason: 'the name is being ordered' };
    const heldMs = this.#state.holdOff.remainingMs(name);
    if (heldMs > 0) {
      this.#log.debug('not ordered: held off', { name, holdoffMs: heldMs });
      // To be absent is kept for long, and would outlast this.
      return this.#state.holdOff.isExcused(name) ? toBeTriedAgain : query.lookup;
    }
    if (this.#state.active.remainingMs(name) > 0) {
      return { kind: 'pending', reason: 'the manager has an order for the name under way' };
    }
    const { unable } = this.#state;
    if (unable !== undefined && this.#now() < unable.untilMs) return cannotOrder(unable.message);
    if (this.#isClosed || context.signal.aborted) return givenUp;
    const { queue, holdOff } = this.#state;
    const place = {
      client: clientGroup(context.client ?? ''),
      parent: parentOf(name),
      isAlone: holdOff.isExcused(name),
    };
    const refusal = queue.claim(place, this.#free);
    if (refusal !== undefined) {
      this.#log.notice('not ordered: the queue of orders is full', {
        name,
        client: context.client,
        reason: refusal,
      });
      return { kind: 'pending', reason: `the queue of orders is full: ${refusal}` };
    }
    this.#state.orders.set(name, 'asking');
    let isPlaced = false;
    try {
      const answer = await this.#ask(name, query, context.signal);
      if (answer !== undefined) return answer;
      this.#state.orders.set(name, 'queued');
      context.onOrder?.({ mayWait: this.#waitMs(place.client) <= this.#settings.timeoutMs });
      isPlaced = true;
      return await unlessAborted(this.#place(name, query, place), context.signal);
    } finally {
      if (!isPlaced) {
        this.#state.orders.delete(name);
        queue.release(place);
      }
    }
  }

  /** Ends hold-offs, and the belief that somebody else is ordering: of one name, or of all. */
  forget(name?: ServerName): void {
    this.#state.holdOff.clear(name);
    this.#state.active.clear(name);
  }

  /** Takes over the state of an earlier one, when the settings have been read again. To be called before any look-up. */
  takeOver(other: Autocert): void {
    const { holdOff, concurrency } = this.#state;
    this.#state = other.#state;
    holdOff.takeOver(this.#state.holdOff);
    this.#state.holdOff = holdOff;
    this.#state.concurrency = concurrency;
    this.#admit();
  }

  /** Lets its part of the queue go. The orders under way end with the client's connections. */
  close(): void {
    this.#isClosed = true;
    const { queue, nextAlone } = this.#state;
    const own = queue.removeAll(this);
    if (nextAlone?.owner === this) {
      own.push(nextAlone);
      this.#state.nextAlone = undefined;
    }
    this.#state.running += own.length;
    for (const { enter } of own) enter();
  }

  /** Why the name is not ordered, as one clause; undefined where it may be. */
  #obstacleTo(name: ServerName, query: QueryVerdict, context: LookupContext): string | undefined {
    if (query.mayOrder === 'unless-known' && context.known === true) {
      return 'the manager gave no clear answer, and a certificate is known';
    }
    if (isWildcard(name)) return 'it is a wildcard';
    if (name.includes('_')) return 'it has an underscore';
    if (this.#isCovered(name)) return 'the default certificate covers it';
    const isAllowed = this.#settings.allow.some((pattern) => matchesPattern(name, pattern));
    return isAllowed ? undefined : '--autocert-allow does not have it';
  }

  /** Asks the ask URL. @returns the look-up's result where the name is not to be ordered now. */
  async #ask(name: ServerName, query: QueryVerdict, signal: AbortSignal): Promise<Lookup | undefined> {
    const { askUrl } = this.#settings;
    if (askUrl === undefined) return undefined;
    const verdict = await this.#orderClient.ask(askUrl, name, signal);
    if (verdict === 'yes') return undefined;
    if (verdict === 'no') {
      this.#log.info('not ordered: --autocert-ask says no', { name });
      return query.lookup;
    }
    const reason = `whether the name may be ordered could not be asked: ${verdict.failure}`;
    this.#log.err('not ordered: --autocert-ask gave no verdict', { name, reason: verdict.failure });
    return { kind: 'unavailable', reason, scope: 'name' };
  }

  /** Waits for a slot, orders, and keeps the record of it. Never rejects. */
  async #place(name: ServerName, query: QueryVerdict, place: OrderPlace): Promise<Lookup> {
    const order = await this.#enter(place);
    try {
      if (this.#isClosed) return givenUp;
      this.#state.orders.set(name, 'running');
      this.#log.info('ordering a certificate', { name, ...(place.isAlone && { alone: true }) });
      const startedAtMs = this.#now();
      const verdict = await this.#orderClient.order(name);
      const { usualMs } = this.#state;
      this.#state.usualMs = usualMs + (this.#now() - startedAtMs - usualMs) * NEWEST_WEIGHT;
      return this.#conclude(name, query, verdict);
    } finally {
      this.#state.orders.delete(name);
      this.#leave(order);
    }
  }

  #conclude(name: ServerName, query: QueryVerdict, verdict: OrderVerdict): Lookup {
    // It failed because we closed it, which says nothing of the name.
    if (this.#isClosed) return givenUp;
    if (verdict.kind === 'active') {
      this.#state.active.fail(name);
      this.#log.info('an order is under way already', { name, reason: verdict.message });
      return { kind: 'pending', reason: `the manager says: ${verdict.message}` };
    }
    this.#state.active.clear(name);
    if (verdict.kind === 'unable') {
      const isNew = this.#state.unable === undefined;
      this.#state.unable = { message: verdict.message, untilMs: this.#now() + UNABLE_MS };
      if (isNew) this.#log.err('the manager cannot order any certificate', { reason: verdict.message });
      return cannotOrder(verdict.message);
    }
    if (this.#state.unable !== undefined) {
      this.#state.unable = undefined;
      this.#log.notice('the manager orders certificates again');
    }
    if (verdict.kind === 'issued') {
      this.#state.holdOff.rest(name);
      this.#log.notice('a certificate was issued', { name });
      return { kind: 'found', candidates: verdict.candidates };
    }
    if (this.#state.orders.get(name) === 'missed') return this.#excuse(name, verdict);
    const holdoffMs = this.#state.holdOff.fail(name);
    if (verdict.kind === 'refused') {
      this.#log.err('the order was refused', { name, reason: verdict.message, holdoffMs });
      if (query.lookup.kind === 'absent') return query.lookup;
      return { kind: 'unavailable', reason: `the order was refused: ${verdict.message}`, scope: 'name' };
    }
    this.#log.err('the order failed', { name, reason: verdict.reason, holdoffMs });
    return { kind: 'unavailable', reason: `the order failed: ${verdict.reason}`, scope: 'name' };
  }

  /** The order has failed after a challenge that we could not answer. It is not said to be absent: that is kept for long. */
  #excuse(name: ServerName, verdict: Extract<OrderVerdict, { kind: 'refused' | 'failed' }>): Lookup {
    const holdoffMs = this.#state.holdOff.excuse(name, MISSED_CHALLENGE_MS);
    const cause = verdict.kind === 'refused' ? verdict.message : verdict.reason;
    this.#log.err('the order failed, and its challenge was not answered in time', {
      name,
      reason: cause,
      holdoffMs,
    });
    const reason = `the order failed, and its challenge was not answered in time: ${cause}`;
    return { kind: 'unavailable', reason, scope: 'name' };
  }

  /** How many orders may begin now. */
  get #free(): number {
    const { running, concurrency, alone, nextAlone } = this.#state;
    return alone === undefined && nextAlone === undefined ? concurrency - running : 0;
  }

  /** About how long a new order of this client will take, its time in the queue included. */
  #waitMs(client: string): number {
    const { queue, concurrency, usualMs } = this.#state;
    if (this.#free > 0) return usualMs;
    return (Math.floor(queue.ahead(client) / concurrency) + 2) * usualMs;
  }

  async #enter(place: OrderPlace): Promise<QueuedOrder<Autocert>> {
    // Admitted at once where there is room, else by `leave`, so that nobody who comes later slips in between.
    return await new Promise((resolve) => {
      const order: QueuedOrder<Autocert> = { owner: this, ...place, enter: () => resolve(order) };
      this.#state.queue.add(order);
      this.#admit();
    });
  }

  #leave(order: QueuedOrder<Autocert>): void {
    const state = this.#state;
    state.running -= 1;
    if (state.alone === order) state.alone = undefined;
    this.#admit();
  }

  #admit(): void {
    const state = this.#state;
    while (state.alone === undefined && state.running < state.concurrency) {
      const next = state.nextAlone ?? state.queue.next();
      if (next === undefined) return;
      state.nextAlone = next.isAlone && state.running > 0 ? next : undefined;
      if (state.nextAlone !== undefined) return;
      if (next.isAlone) state.alone = next;
      state.running += 1;
      next.enter();
    }
  }
}

/** The domain right above a name; the name itself where there is only a top-level one. */
function parentOf(name: ServerName): string {
  return wildcardOf(name)?.slice('*.'.length) ?? name;
}

function cannotOrder(message: string): Lookup {
  return { kind: 'unavailable', reason: `the manager cannot order: ${message}`, scope: 'name' };
}

const toBeTriedAgain: Lookup = {
  kind: 'unavailable',
  reason: 'the order failed, as its challenge was not answered in time, and is tried again soon',
  scope: 'name',
};

const givenUp: Lookup = {
  kind: 'unavailable',
  reason: 'the look-up was given up before the order ended',
  scope: 'name',
};

/** The result, or `unavailable` as soon as the signal aborts. The work goes on. */
async function unlessAborted(work: Promise<Lookup>, signal: AbortSignal): Promise<Lookup> {
  let onAbort: () => void = () => undefined;
  const aborted = new Promise<Lookup>((resolve) => {
    onAbort = () => resolve(givenUp);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
