/**
 * Orders that wait for a slot. Clients take turns, one order each, whatever the number of their names. Bounded as a whole, for
 * each client, and for the names below one parent domain.
 */
import { ClientTurns } from '../../base/client-turns.js';
import { Counts } from '../../base/counts.js';

/** For whom an order is, and how it is to run. */
export interface OrderPlace {
  /** Clients take turns by this: an address, or the network of an IPv6 client. */
  readonly client: string;
  /** `example.com` for `www.example.com`. */
  readonly parent: string;
  /** No other order is to run beside it. */
  readonly isAlone: boolean;
}

/** An order in the queue. */
export interface QueuedOrder<Owner> extends OrderPlace {
  readonly owner: Owner;
  readonly enter: () => void;
}

export interface OrderQueueLimits {
  readonly max: number;
  readonly maxPerClient: number;
  readonly maxPerParent: number;
}

export class OrderQueue<Owner> {
  readonly #limits: OrderQueueLimits;
  readonly #waiting = new ClientTurns<QueuedOrder<Owner>>();
  /** How many places each client has claimed: for orders that wait, or are about to. */
  readonly #clients = new Counts();
  readonly #parents = new Counts();

  constructor(limits: OrderQueueLimits) {
    this.#limits = limits;
  }

  /** Claimed places. */
  get size(): number {
    return this.#clients.total;
  }

  /**
   * Claims a place, to be released when the order begins, or when it is not placed after all.
   *
   * @param free how many orders may begin at once, besides those that have begun.
   * @returns why there is no room; undefined where there is.
   */
  claim(place: OrderPlace, free: number): string | undefined {
    const { max, maxPerClient, maxPerParent } = this.#limits;
    const { client, parent } = place;
    if (this.size >= free) {
      if (this.size - free >= max) return `${max} orders are waiting already`;
      if (this.#clients.of(client) >= maxPerClient) {
        return `${maxPerClient} orders of this client are waiting already`;
      }
      if (this.#parents.of(parent) >= maxPerParent) {
        return `${maxPerParent} orders for names below ${parent} are waiting already`;
      }
    }
    this.#clients.change(client, 1);
    this.#parents.change(parent, 1);
    return undefined;
  }

  release({ client, parent }: Omit<OrderPlace, 'isAlone'>): void {
    this.#clients.change(client, -1);
    this.#parents.change(parent, -1);
  }

  /** How many orders would be served before a new one of this client. */
  ahead(client: string): number {
    return this.#waiting.ahead(client);
  }

  /** Puts an order on its claimed place. */
  add(order: QueuedOrder<Owner>): void {
    this.#waiting.add(order.client, order);
  }

  /** Takes out the order whose turn it is, and releases its place. */
  next(): QueuedOrder<Owner> | undefined {
    const order = this.#waiting.next();
    if (order !== undefined) this.release(order);
    return order;
  }

  /** Takes out all orders of an owner, and releases their places. */
  removeAll(owner: Owner): QueuedOrder<Owner>[] {
    const removed = this.#waiting.removeAll((order) => order.owner === owner);
    for (const order of removed) this.release(order);
    return removed;
  }
}
