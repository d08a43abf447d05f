/**
 * What earlier orders have shown, and so which names are not to be ordered now.
 *
 * A name is held off after its order has failed, or succeeded; it is left alone while somebody else orders it; and no name is
 * ordered while the manager cannot order at all. `conclude` learns from the verdict of an order, `insteadOfOrder` applies it.
 */
import { growingLru } from '../../base/growing-lru.js';
import type { OrderFacts, OrderFailure } from '../../domain/inspection.js';
import type { Lookup } from '../../domain/lookup.js';
import type { ServerName } from '../../domain/server-name.js';
import type { Logger } from '../../log/logger.js';
import { Backoff } from './backoff.js';
import type { OrderVerdict, QueryVerdict } from './schema.js';

/** How long nothing is ordered after the manager has said that it cannot order. */
const UNABLE_MS = 60_000;
const MAX_HOLDOFF_MS = 4 * 3_600_000;
/** The hold-off after an order whose challenge we could not answer in time. */
const MISSED_CHALLENGE_MS = 60_000;
/**
 * How long we believe that somebody else is ordering a name after the manager has said so. It doubles each time that the manager
 * repeats it: the manager says the same, for many minutes, of a name whose attempts have failed. Queries go on meanwhile.
 */
const ACTIVE_MS = 2_000;
const MAX_ACTIVE_MS = 60_000;

/** Names whose last failure is remembered, for whoever asks why they have no certificate. */
const MAX_FAILURES = 10_000;

export interface OrderMemoryOptions {
  /** The first hold-off of a name, milliseconds. */
  readonly holdoffMs: number;
  /** The clock, milliseconds. */
  readonly now: () => number;
}

/** An order that has ended. */
export interface EndedOrder {
  /** What the manager had said of the name before. */
  readonly query: QueryVerdict;
  readonly verdict: OrderVerdict;
  /** A challenge of the order reached us, and could not be answered in time. */
  readonly isMissed: boolean;
  /** Takes the verdict. */
  readonly log: Logger;
}

export class OrderMemory {
  readonly #now: () => number;
  /** Names that somebody else is ordering. */
  readonly #active: Backoff;
  readonly #failures = growingLru<ServerName, Omit<OrderFailure, 'agoMs'> & { readonly atMs: number }>(
    MAX_FAILURES,
  );
  #holdOff: Backoff;
  /** The manager cannot order: why, and until when that is believed. */
  #unable: { readonly message: string; readonly untilMs: number } | undefined;

  constructor({ holdoffMs, now }: OrderMemoryOptions) {
    this.#now = now;
    this.#active = new Backoff({ firstMs: ACTIVE_MS, maxMs: MAX_ACTIVE_MS, now });
    this.#holdOff = this.#newHoldOff(holdoffMs);
  }

  /** Takes another first hold-off. Names that are held off stay so. */
  configure(holdoffMs: number): void {
    const holdOff = this.#newHoldOff(holdoffMs);
    holdOff.takeOver(this.#holdOff);
    this.#holdOff = holdOff;
  }

  /** How many names are held off. */
  get heldOff(): number {
    return this.#holdOff.held;
  }

  /** The result of a look-up whose name is not to be ordered now; undefined where it may be. */
  insteadOfOrder(name: ServerName, query: QueryVerdict, log: Logger): Lookup | undefined {
    const heldMs = this.#holdOff.remainingMs(name);
    if (heldMs > 0) {
      log.debug('not ordered: held off', { name, holdoffMs: heldMs });
      // Not absent: that is kept for longer than this hold-off lasts.
      return this.#holdOff.isExcused(name) ? toBeTriedAgain : query.lookup;
    }
    if (this.#active.remainingMs(name) > 0) {
      return { kind: 'pending', reason: 'the manager has an order for the name under way' };
    }
    const unable = this.#unable;
    return unable !== undefined && this.#now() < unable.untilMs ? cannotOrder(unable.message) : undefined;
  }

  /** What is remembered of a name, for a person. */
  inspect(name: ServerName): Pick<OrderFacts, 'heldMs' | 'activeElsewhereMs' | 'lastFailure' | 'unable'> {
    const nowMs = this.#now();
    const unable = this.#unable;
    const failure = this.#failures.peek(name);
    return {
      heldMs: this.#holdOff.remainingMs(name),
      activeElsewhereMs: this.#active.remainingMs(name),
      ...(failure !== undefined && {
        lastFailure: { message: failure.message, isRefusal: failure.isRefusal, agoMs: nowMs - failure.atMs },
      }),
      ...(unable !== undefined && nowMs < unable.untilMs && { unable: unable.message }),
    };
  }

  /** Whether the last order of the name failed through no fault of the name's: the next one is its second try. */
  isSecondTry(name: ServerName): boolean {
    return this.#holdOff.isExcused(name);
  }

  /**
   * Notes the verdict of an order, and logs it.
   *
   * @returns the look-up's result.
   */
  conclude(name: ServerName, order: EndedOrder): Lookup {
    const { query, verdict, isMissed, log } = order;
    if (verdict.kind === 'active') {
      this.#active.fail(name);
      log.info('an order is under way already', { name, reason: verdict.message });
      return { kind: 'pending', reason: `the manager says: ${verdict.message}` };
    }
    this.#active.clear(name);
    if (verdict.kind === 'unable') {
      const isNew = this.#unable === undefined;
      this.#unable = { message: verdict.message, untilMs: this.#now() + UNABLE_MS };
      if (isNew) log.err('the manager cannot order any certificate', { reason: verdict.message });
      return cannotOrder(verdict.message);
    }
    if (this.#unable !== undefined) {
      this.#unable = undefined;
      log.notice('the manager orders certificates again');
    }
    if (verdict.kind === 'issued') {
      this.#holdOff.rest(name);
      this.#failures.delete(name);
      log.notice('a certificate was issued', { name });
      return { kind: 'found', candidates: verdict.candidates };
    }
    this.#failures.set(name, {
      message: verdict.kind === 'refused' ? verdict.message : verdict.reason,
      isRefusal: verdict.kind === 'refused',
      atMs: this.#now(),
    });
    if (isMissed) return this.#excuse(name, verdict, log);
    const holdoffMs = this.#holdOff.fail(name);
    if (verdict.kind === 'refused') {
      log.err('the order was refused', { name, reason: verdict.message, holdoffMs });
      if (query.lookup.kind === 'absent') return query.lookup;
      return { kind: 'unavailable', reason: `the order was refused: ${verdict.message}`, scope: 'name' };
    }
    log.err('the order failed', { name, reason: verdict.reason, holdoffMs });
    return { kind: 'unavailable', reason: `the order failed: ${verdict.reason}`, scope: 'name' };
  }

  /** Ends hold-offs, and the belief that somebody else is ordering: of one name, or of all. */
  forget(name?: ServerName): void {
    this.#holdOff.clear(name);
    this.#active.clear(name);
  }

  /** The order failed after a challenge that we could not answer. The name is not said to be absent, as that is kept for long. */
  #excuse(
    name: ServerName,
    verdict: Extract<OrderVerdict, { kind: 'refused' | 'failed' }>,
    log: Logger,
  ): Lookup {
    const holdoffMs = this.#holdOff.excuse(name, MISSED_CHALLENGE_MS);
    const cause = verdict.kind === 'refused' ? verdict.message : verdict.reason;
    log.err('the order failed, and its challenge was not answered in time', {
      name,
      reason: cause,
      holdoffMs,
    });
    const reason = `the order failed, and its challenge was not answered in time: ${cause}`;
    return { kind: 'unavailable', reason, scope: 'name' };
  }

  #newHoldOff(holdoffMs: number): Backoff {
    return new Backoff({ firstMs: holdoffMs, maxMs: MAX_HOLDOFF_MS, now: this.#now });
  }
}

function cannotOrder(message: string): Lookup {
  return { kind: 'unavailable', reason: `the manager cannot order: ${message}`, scope: 'name' };
}

const toBeTriedAgain: Lookup = {
  kind: 'unavailable',
  reason: 'the order failed, as its challenge was not answered in time, and is tried again soon',
  scope: 'name',
};
