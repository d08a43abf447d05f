/**
 * A few places for what is to be done by few at once, which waiting clients get in turns.
 *
 * One client never has all of them: the last one is for the others, who would else wait for as long as what that client has begun
 * hangs. That holds also while nobody waits, as a place that is taken cannot be taken back. The number of waiters is bounded;
 * when it is reached, a client with few of them displaces the youngest of the client with the most.
 */
import { ClientTurns } from '../../base/client-turns.js';
import { Counts } from '../../base/counts.js';

export interface FairSlotsOptions {
  /** At least 2. */
  readonly atOnce: number;
  /** @default 1024 */
  readonly maxWaiters?: number;
}

interface Waiter {
  readonly client: string;
  /** Ends the wait: with a place or without. */
  settle(hasPlace: boolean): void;
}

/** Gives a place back. To be called once. */
export type Release = () => void;

const DEFAULT_MAX_WAITERS = 1024;

export class FairSlots {
  readonly #atOnce: number;
  readonly #maxWaiters: number;
  readonly #turns = new ClientTurns<Waiter>();
  /** How many places each client has. */
  readonly #taken = new Counts();
  #isClosed = false;

  constructor({ atOnce, maxWaiters = DEFAULT_MAX_WAITERS }: FairSlotsOptions) {
    this.#atOnce = atOnce;
    this.#maxWaiters = maxWaiters;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** How many are waiting for a place. */
  get waiting(): number {
    return this.#turns.size;
  }

  /**
   * Takes a place, or waits for one.
   *
   * @param client whose turn it is to be, an address.
   * @param signal ends the wait.
   * @returns undefined without a place: aborted, displaced, too many waiting, or closed. Never rejects.
   */
  acquire(client: string, signal: AbortSignal): Promise<Release | undefined> {
    if (this.#isClosed || signal.aborted) return Promise.resolve(undefined);
    // Whoever waits while a place is free has its share already.
    if (this.#taken.total < this.#atOnce && this.#hasShare(client))
      return Promise.resolve(this.#take(client));
    if (this.waiting >= this.#maxWaiters) {
      const displaced = this.#turns.displaceFor(client);
      if (displaced === undefined) return Promise.resolve(undefined);
      displaced.settle(false);
    }
    return this.#enqueue(client, signal);
  }

  /** Ends every wait without a place, and refuses all that come later. */
  close(): void {
    this.#isClosed = true;
    for (const waiter of this.#turns.removeAll(() => true)) waiter.settle(false);
  }

  #enqueue(client: string, signal: AbortSignal): Promise<Release | undefined> {
    return new Promise((resolve) => {
      const onAbort = (): void => waiter.settle(false);
      const waiter: Waiter = {
        client,
        settle: (hasPlace) => {
          signal.removeEventListener('abort', onAbort);
          this.#turns.remove(client, waiter);
          resolve(hasPlace ? this.#take(client) : undefined);
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#turns.add(client, waiter);
    });
  }

  #take(client: string): Release {
    this.#taken.change(client, 1);
    return () => {
      this.#taken.change(client, -1);
      this.#serve();
    };
  }

  readonly #hasShare = (client: string): boolean => this.#taken.of(client) < this.#atOnce - 1;

  #serve(): void {
    while (this.#taken.total < this.#atOnce) {
      const waiter = this.#turns.next(this.#hasShare);
      if (waiter === undefined) return;
      waiter.settle(true);
    }
  }
}
