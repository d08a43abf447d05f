/**
 * When a certificate is ordered, and what becomes of the order.
 *
 * Certificate authorities ban those who ask too often, and the manager has four threads, so an order is the exception:
 *
 * 1. A name is ordered only where the manager has just said that it has no certificate for it, or has answered its ambiguous
 *    500 for a name of which no certificate is known. An outage orders nothing.
 * 2. The name matches the allow-list, is no wildcard, has no underscore (the manager answers 500 to those), and no certificate
 *    serves it all the same: not the default one (the manager asks its pool by such a name), nor its own last one, nor that of
 *    the wildcard above it. Nor may another source have one that it could not tell of.
 * 3. One order a name at a time; whoever else asks meanwhile is answered `pending` at once.
 * 4. A name that was refused, failed or timed out is held off: `holdoffMs`, doubling with each failure in a row, up to
 *    four hours. So is one whose order succeeded, for `holdoffMs`: should its certificate be of no use, it is not ordered
 *    over and over. During a hold-off the query's own result stands.
 *    When the manager cannot order at all (no account, no policy), no name is to blame: nothing is ordered for a minute, and
 *    the next name after that tries again.
 *    When a challenge of the order reached us and could not be answered in time, the name is not to blame either: the first
 *    time it is held off for a minute only, and its second order runs with no other beside it.
 * 5. Somebody else is ordering it already: `pending`, looked at again after seconds.
 * 6. The ask URL, where there is one, answers 2xx.
 * 7. At most `concurrency` orders run at once. Others queue, and clients take turns; there are bounds for the queue, for each
 *    client in it, and for the names below one parent. Whoever starts an order that would take longer than `--autocert-timeout`
 *    is not made to wait for it.
 *
 * An order goes on when the client that caused it goes away: its certificate is wanted all the same.
 *
 * Rules 4 and 5 are in `order-memory.ts`, rule 7 in `order-slots.ts`, the others here.
 */
import { channels, sinceEpoch } from '../../channels/channels.js';
import type { AutocertSettings } from '../../config/settings.js';
import type { OrderFacts } from '../../domain/inspection.js';
import type { Lookup } from '../../domain/lookup.js';
import type { OrderResult } from '../../domain/order-result.js';
import { isWildcard, matchesPattern, wildcardOf, type ServerName } from '../../domain/server-name.js';
import { logOfHandshake, type Logger } from '../../log/logger.js';
import { clientGroup } from '../../net/ip-bytes.js';
import type { LookupContext } from '../source.js';
import type { Failure } from './client.js';
import { OrderMemory } from './order-memory.js';
import type { OrderPlace, OrderQueueLimits } from './order-queue.js';
import { OrderSlots } from './order-slots.js';
import type { OrderVerdict, QueryVerdict } from './schema.js';

/** How many names are being ordered, wait for it, and are not ordered for a while. */
export interface OrderLoad {
  readonly running: number;
  readonly queued: number;
  readonly heldOff: number;
}

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
  /** Told of each order that the manager has answered, or has not. */
  onOrder?(this: void, result: OrderResult, tookMs: number): void;
}

/**
 * `asking`: whether it may be ordered. `queued`: waits for a slot. `missed`: runs, and a challenge of the name could not be
 * answered in time.
 */
type OrderStage = 'asking' | 'queued' | 'running' | 'missed';

/** What may become an order: the manager's answer, and the handshake that caused the question. */
interface Wish {
  readonly query: QueryVerdict;
  /** Of the handshake. */
  readonly log: Logger;
  readonly handshake: string | undefined;
}

/**
 * What is known of orders. When the settings have been read again, the new `Autocert` goes on with the state of the old one, and
 * so do the orders that the old one has under way: no name is ordered by both, and no failure is forgotten.
 */
interface OrderState {
  /** Names on their way through an order. */
  readonly orders: Map<ServerName, OrderStage>;
  readonly memory: OrderMemory;
  readonly slots: OrderSlots<Autocert>;
}

export class Autocert {
  readonly #settings: AutocertSettings;
  readonly #orderClient: OrderClient;
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #isCovered: (name: ServerName) => boolean;
  readonly #onOrder: AutocertOptions['onOrder'];
  #state: OrderState;
  #isClosed = false;

  constructor({ settings, orderClient, log, now, queueLimits, isCovered, onOrder }: AutocertOptions) {
    this.#onOrder = onOrder;
    this.#settings = settings;
    this.#orderClient = orderClient;
    this.#log = log;
    this.#now = now;
    this.#isCovered = isCovered ?? (() => false);
    const { holdoffMs, concurrency } = settings;
    this.#state = {
      orders: new Map(),
      memory: new OrderMemory({ holdoffMs, now }),
      slots: new OrderSlots({ concurrency, queueLimits }),
    };
  }

  /** The names that are being ordered now, those in the queue included. */
  ordering(): ServerName[] {
    return [...this.#state.orders].filter(([, state]) => state !== 'asking').map(([name]) => name);
  }

  get load(): OrderLoad {
    const stages = [...this.#state.orders.values()];
    return {
      running: stages.filter((stage) => stage === 'running' || stage === 'missed').length,
      queued: stages.filter((stage) => stage === 'queued').length,
      heldOff: this.#state.memory.heldOff,
    };
  }

  /** Whether the name is on its way through an order. */
  isOrdering(name: ServerName): boolean {
    return this.#state.orders.has(name);
  }

  /** What would become of an order, for a person: nothing is ordered. The ask URL is asked where nothing else is in the way. */
  async inspect(name: ServerName, signal: AbortSignal): Promise<OrderFacts> {
    const { allow, askUrl } = this.#settings;
    const { orders, memory } = this.#state;
    const allowedBy = allow.find((pattern) => matchesPattern(name, pattern));
    const obstacle = this.#obstacleTo(name);
    const stage = orders.get(name);
    const verdict =
      askUrl === undefined || obstacle !== undefined
        ? undefined
        : await this.#orderClient.ask(askUrl, name, signal);
    return {
      isEnabled: true,
      ...memory.inspect(name),
      ...(allowedBy === undefined ? { isNotAllowed: true } : { allowedBy }),
      ...(obstacle !== undefined && { obstacle }),
      ...(stage !== undefined && { stage }),
      ...(verdict !== undefined && {
        ask: typeof verdict === 'string' ? { says: verdict } : { says: 'nothing', failure: verdict.failure },
      }),
    };
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
    const { handshake } = context;
    const log = logOfHandshake(this.#log, handshake);
    const wish: Wish = { query, log, handshake };
    const obstacle =
      query.mayOrder === 'unless-known' && context.known === true
        ? 'the manager gave no clear answer, and a certificate is known'
        : (context.orderObstacle ?? this.#obstacleTo(name));
    if (obstacle !== undefined) {
      log.info('not ordered', { name, reason: obstacle });
      return query.lookup;
    }
    const servedAbove = (await context.isServedAbove?.()) ?? 'no';
    if (servedAbove === 'yes') {
      log.info('not ordered', { name, reason: 'the certificate of the wildcard above it serves it' });
      return query.lookup;
    }
    if (servedAbove === 'unknown')
      return { kind: 'pending', reason: 'whether the wildcard above it has a certificate is not known yet' };
    if (this.#state.orders.has(name)) return { kind: 'pending', reason: 'the name is being ordered' };
    const { memory, slots } = this.#state;
    const instead = memory.insteadOfOrder(name, query, log);
    if (instead !== undefined) return instead;
    if (this.#isClosed || context.signal.aborted) return givenUp;
    const place = {
      client: clientGroup(context.client ?? ''),
      parent: parentOf(name),
      isAlone: memory.isSecondTry(name),
    };
    const refusal = slots.claim(place);
    if (refusal !== undefined) {
      log.notice('not ordered: the queue of orders is full', {
        name,
        client: context.client,
        reason: refusal,
      });
      return { kind: 'pending', reason: `the queue of orders is full: ${refusal}` };
    }
    this.#state.orders.set(name, 'asking');
    let isPlaced = false;
    try {
      const answer = await this.#ask(name, { ...wish, signal: context.signal });
      if (answer !== undefined) return answer;
      this.#state.orders.set(name, 'queued');
      context.onOrder?.({ mayWait: slots.estimateMs(place.client) <= this.#settings.timeoutMs });
      isPlaced = true;
      return await unlessAborted(this.#place(name, wish, place), context.signal);
    } finally {
      if (!isPlaced) {
        this.#state.orders.delete(name);
        slots.release(place);
      }
    }
  }

  /** Ends hold-offs, and the belief that somebody else is ordering: of one name, or of all. */
  forget(name?: ServerName): void {
    this.#state.memory.forget(name);
  }

  /** Takes over the state of an earlier one, when the settings have been read again. To be called before any look-up. */
  takeOver(other: Autocert): void {
    const { holdoffMs, concurrency } = this.#settings;
    this.#state = other.#state;
    this.#state.memory.configure(holdoffMs);
    this.#state.slots.resize(concurrency);
  }

  /** Gives up its orders that wait. The orders under way end with the client's connections. */
  close(): void {
    this.#isClosed = true;
    this.#state.slots.admitAllOf(this);
  }

  /** Why the name is not ordered, as one clause; undefined where it may be. */
  #obstacleTo(name: ServerName): string | undefined {
    if (isWildcard(name)) return 'it is a wildcard';
    if (name.includes('_')) return 'it has an underscore';
    if (this.#isCovered(name)) return 'the default certificate covers it';
    const isAllowed = this.#settings.allow.some((pattern) => matchesPattern(name, pattern));
    return isAllowed ? undefined : '--autocert-allow does not have it';
  }

  /** Asks the ask URL. @returns the look-up's result where the name is not to be ordered now. */
  async #ask(
    name: ServerName,
    { query, log, signal }: Wish & { readonly signal: AbortSignal },
  ): Promise<Lookup | undefined> {
    const { askUrl } = this.#settings;
    if (askUrl === undefined) return undefined;
    const verdict = await this.#orderClient.ask(askUrl, name, signal);
    if (verdict === 'yes') return undefined;
    if (verdict === 'no') {
      log.info('not ordered: --autocert-ask says no', { name });
      return query.lookup;
    }
    const reason = `--autocert-ask could not be asked whether the name may be ordered: ${verdict.failure}`;
    log.err('not ordered: --autocert-ask gave no verdict', { name, reason: verdict.failure });
    return { kind: 'unavailable', reason, scope: 'name' };
  }

  /** Waits for a slot, orders, and notes what came of it. Never rejects. */
  async #place(name: ServerName, wish: Wish, place: OrderPlace): Promise<Lookup> {
    const { orders, slots } = this.#state;
    const order = await slots.enter(this, place);
    try {
      if (this.#isClosed) return givenUp;
      orders.set(name, 'running');
      wish.log.info('ordering a certificate', { name, ...(place.isAlone && { alone: true }) });
      const startedAtMs = this.#now();
      const verdict = await this.#orderClient.order(name);
      const tookMs = this.#now() - startedAtMs;
      slots.noteDuration(tookMs);
      return this.#conclude(name, wish, verdict, tookMs);
    } finally {
      orders.delete(name);
      slots.leave(order);
    }
  }

  #conclude(
    name: ServerName,
    { query, log, handshake }: Wish,
    verdict: OrderVerdict,
    tookMs: number,
  ): Lookup {
    // It failed because we closed it, which says nothing of the name.
    if (this.#isClosed) return givenUp;
    this.#onOrder?.(verdict.kind, tookMs);
    if (channels.order.hasSubscribers) publishOrder(name, handshake, verdict, tookMs);
    const { orders, memory } = this.#state;
    return memory.conclude(name, { query, log, verdict, isMissed: orders.get(name) === 'missed' });
  }
}

function publishOrder(
  name: ServerName,
  handshake: string | undefined,
  verdict: OrderVerdict,
  tookMs: number,
): void {
  const reason =
    verdict.kind === 'issued' ? undefined : verdict.kind === 'failed' ? verdict.reason : verdict.message;
  channels.order.publish({
    name,
    ...(handshake !== undefined && { handshake }),
    startedAtMs: sinceEpoch(performance.now() - tookMs),
    tookMs,
    result: verdict.kind,
    ...(reason !== undefined && { reason }),
  });
}

/** The domain right above a name; the name itself where there is only a top-level one. */
function parentOf(name: ServerName): string {
  return wildcardOf(name)?.slice('*.'.length) ?? name;
}

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
