/**
 * Slots for orders: at most `concurrency` run at once, and the others wait in the queue for their turn. An order that is to run
 * alone begins when those before it have ended, and no other begins until it has ended too.
 *
 * It also measures how long orders take, to estimate how long a new one would wait.
 */
import { OrderQueue, type OrderPlace, type OrderQueueLimits, type QueuedOrder } from './order-queue.js';

/** At five seconds an order and two at once, a full queue takes most of an hour, and one client's part a minute and a half. */
const QUEUE_LIMITS = { max: 1_000, maxPerClient: 50, maxPerParent: 100 } as const;
/** How long an order is taken to last until some have ended (the manager says: about five seconds). */
const USUAL_ORDER_MS = 5_000;
/** The weight of the newest order in the moving average of how long orders take. */
const NEWEST_WEIGHT = 0.2;

export interface OrderSlotsOptions {
  /** Orders that may run at once. */
  readonly concurrency: number;
  readonly queueLimits?: OrderQueueLimits | undefined;
}

/** @typeParam Owner whoever places orders, and may withdraw all of its own that wait. */
export class OrderSlots<Owner> {
  readonly #queue: OrderQueue<Owner>;
  #concurrency: number;
  #running = 0;
  /** The order that runs with no other beside it. */
  #alone: QueuedOrder<Owner> | undefined;
  /** The order that is to run alone as soon as the running ones have ended; no other begins before it. */
  #nextAlone: QueuedOrder<Owner> | undefined;
  /** How long orders have taken lately, milliseconds. */
  #usualMs = USUAL_ORDER_MS;

  constructor({ concurrency, queueLimits = QUEUE_LIMITS }: OrderSlotsOptions) {
    this.#concurrency = concurrency;
    this.#queue = new OrderQueue(queueLimits);
  }

  /** Changes how many orders may run at once. Those that run already are not interrupted. */
  resize(concurrency: number): void {
    this.#concurrency = concurrency;
    this.#admit();
  }

  /**
   * Claims a place in the queue, to be used with `enter` or given back with `release`.
   *
   * @returns why there is no room; undefined where there is.
   */
  claim(place: OrderPlace): string | undefined {
    return this.#queue.claim(place, this.#free);
  }

  /** Gives a claimed place back. */
  release(place: OrderPlace): void {
    this.#queue.release(place);
  }

  /** Waits in the claimed place for a slot. @returns the order that has the slot, for `leave`. */
  enter(owner: Owner, place: OrderPlace): Promise<QueuedOrder<Owner>> {
    // Admitted at once where there is room, else by `leave`, so that nobody who comes later slips in between.
    return new Promise((resolve) => {
      const order: QueuedOrder<Owner> = { owner, ...place, enter: () => resolve(order) };
      this.#queue.add(order);
      this.#admit();
    });
  }

  /** Gives the slot of an order back, and admits the next order. */
  leave(order: QueuedOrder<Owner>): void {
    this.#running -= 1;
    if (this.#alone === order) this.#alone = undefined;
    this.#admit();
  }

  /** Ends the waiting of all orders of an owner: each gets a slot at once, whatever the limit, and must leave it. */
  admitAllOf(owner: Owner): void {
    const own = this.#queue.removeAll(owner);
    if (this.#nextAlone?.owner === owner) {
      own.push(this.#nextAlone);
      this.#nextAlone = undefined;
    }
    this.#running += own.length;
    for (const { enter } of own) enter();
  }

  /** Counts in how long an order has taken, milliseconds. */
  noteDuration(tookMs: number): void {
    this.#usualMs += (tookMs - this.#usualMs) * NEWEST_WEIGHT;
  }

  /** About how long a new order of this client will take, its time in the queue included, milliseconds. */
  estimateMs(client: string): number {
    if (this.#free > 0) return this.#usualMs;
    return (Math.floor(this.#queue.ahead(client) / this.#concurrency) + 2) * this.#usualMs;
  }

  /** How many orders may begin now. */
  get #free(): number {
    const isShared = this.#alone === undefined && this.#nextAlone === undefined;
    return isShared ? this.#concurrency - this.#running : 0;
  }

  #admit(): void {
    while (this.#alone === undefined && this.#running < this.#concurrency) {
      const next = this.#nextAlone ?? this.#queue.next();
      if (next === undefined) return;
      this.#nextAlone = next.isAlone && this.#running > 0 ? next : undefined;
      if (this.#nextAlone !== undefined) return;
      if (next.isAlone) this.#alone = next;
      this.#running += 1;
      next.enter();
    }
  }
}
