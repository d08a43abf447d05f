/**
 * Single-flight: one look-up a name for everybody who asks while it is under way.
 *
 * A flight outlives its waiters: each waits as long as it may, the work goes on behind them. Three things are special here:
 *
 * - An expire begins a new epoch: `detach` takes a flight out, later askers do not join it, and what it brings is
 *   given to those who wait for it but must not be stored (`current` is false from then on).
 * - The work may offer what it has so far, when it goes on to look for more: who can do with that waits for the rest but shortly.
 * - A flight may turn into an order that takes seconds. Then every waiter is released at once; the first one, who
 *   started it, is told so and may come back to wait for the end.
 */
import type { ServerName } from '../domain/server-name.js';
import { startUnrefTimer, type StartTimer } from '../base/timer.js';

/** What a waiter hears. */
export type Arrival<T> =
  | { readonly kind: 'landed'; readonly value: T }
  /** Not within the time that this waiter had. `soFar`: what the work had offered by then. */
  | { readonly kind: 'late'; readonly soFar?: T }
  /** The flight has become an order. */
  | { readonly kind: 'ordering'; readonly starter: boolean };

export class Flight<T> {
  readonly startedAtMs: number;
  #current = true;
  #ordering = false;
  #hasStarter = true;
  readonly #landing: Promise<T>;
  readonly #letGo = new Set<() => void>();
  /** Waiters that can do with an offer. */
  readonly #takers = new Set<() => void>();
  #soFar: T | undefined;
  readonly #startTimer: StartTimer;

  constructor(startedAtMs: number, startTimer: StartTimer, run: (flight: Flight<T>) => Promise<T>) {
    this.startedAtMs = startedAtMs;
    this.#startTimer = startTimer;
    this.#landing = run(this);
  }

  /** False once an expire has overtaken it: store nothing. */
  get current(): boolean {
    return this.#current;
  }

  /** Whether it has become an order. */
  get ordering(): boolean {
    return this.#ordering;
  }

  /** Ends when the flight has landed. Rejects as the work does. */
  get landing(): Promise<T> {
    return this.#landing;
  }

  detach(): void {
    this.#current = false;
  }

  /** Has something that will do, and goes on to look for more. */
  offer(value: T): void {
    this.#soFar = value;
    for (const take of this.#takers) take();
  }

  /** Lets every waiter go: what is under way now takes seconds. @param order `mayWait`: the first one may come back. */
  beginOrder({ mayWait }: { readonly mayWait: boolean }): void {
    this.#ordering = true;
    if (!mayWait) this.#hasStarter = false;
    for (const letGo of this.#letGo) letGo();
  }

  /**
   * Waits for the landing.
   *
   * @param patienceMs how long at most.
   * @param throughOrder true for the starter who came back: an order does not let it go.
   * @param first true for the waiter whose question started the flight.
   * @param offerPatienceMs how long at most from when there is an offer. Left out: an offer will not do.
   */
  wait(
    patienceMs: number,
    options: { first: boolean; throughOrder: boolean; offerPatienceMs?: number | undefined },
  ): Promise<Arrival<T>> {
    const { offerPatienceMs } = options;
    const isStarter = options.first && this.#hasStarter;
    if (this.#ordering && !options.throughOrder) return Promise.resolve({ kind: 'ordering', starter: false });
    return new Promise((resolve, reject) => {
      let cancelOfferTimer = (): void => undefined;
      const leave = (): void => {
        cancelTimer();
        cancelOfferTimer();
        this.#letGo.delete(letGo);
        this.#takers.delete(take);
      };
      const finish = (arrival: Arrival<T>): void => {
        leave();
        resolve(arrival);
      };
      const letGo = (): void => finish({ kind: 'ordering', starter: isStarter && this.#hasStarter });
      const giveUp = (): void => {
        if (isStarter) this.#hasStarter = false;
        const soFar = offerPatienceMs === undefined ? undefined : this.#soFar;
        finish({ kind: 'late', ...(soFar !== undefined && { soFar }) });
      };
      const take = (): void => {
        if (offerPatienceMs === undefined) return;
        cancelOfferTimer();
        cancelOfferTimer = this.#startTimer(giveUp, offerPatienceMs);
      };
      const cancelTimer = this.#startTimer(giveUp, patienceMs);
      this.#takers.add(take);
      if (this.#soFar !== undefined) take();
      if (!options.throughOrder) this.#letGo.add(letGo);
      this.#landing.then(
        (value) => finish({ kind: 'landed', value }),
        (error: unknown) => {
          leave();
          reject(error instanceof Error ? error : new Error(String(error)));
        },
      );
    });
  }
}

export class SingleFlight<T> {
  readonly #flights = new Map<ServerName, Flight<T>>();
  /** All that have not landed, those that were detached included: they still need their sources. */
  readonly #underWay = new Set<Flight<T>>();
  readonly #now: () => number;
  readonly #startTimer: StartTimer;

  /** @param now milliseconds since 1970. */
  constructor(now: () => number, startTimer: StartTimer = startUnrefTimer) {
    this.#now = now;
    this.#startTimer = startTimer;
  }

  /** The names that are looked up now. */
  names(): IterableIterator<ServerName> {
    return this.#flights.keys();
  }

  get(name: ServerName): Flight<T> | undefined {
    return this.#flights.get(name);
  }

  /** Starts a flight; the caller has seen that there is none. It leaves the table when it lands. */
  start(name: ServerName, run: (flight: Flight<T>) => Promise<T>): Flight<T> {
    const flight = new Flight<T>(this.#now(), this.#startTimer, async (self) => {
      // The flight must be in the table before its work begins, or work that ends at once would stay in it.
      await Promise.resolve();
      try {
        return await run(self);
      } finally {
        this.#underWay.delete(self);
        if (this.#flights.get(name) === self) this.#flights.delete(name);
      }
    });
    // Waiters see a failure through their own promise; without a waiter it is ignored.
    flight.landing.catch(() => undefined);
    this.#flights.set(name, flight);
    this.#underWay.add(flight);
    return flight;
  }

  /** Begins a new epoch for a name, or for all. */
  detach(name?: ServerName): void {
    for (const [key, flight] of name === undefined ? this.#flights : this.#only(name)) {
      flight.detach();
      this.#flights.delete(key);
    }
  }

  /** Names whose flight has become an order. */
  ordering(): ServerName[] {
    return [...this.#flights].filter(([, flight]) => flight.ordering).map(([name]) => name);
  }

  /** Ends when all that are under way now have landed, well or not; detached ones too. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#underWay].map((flight) => flight.landing));
  }

  get size(): number {
    return this.#flights.size;
  }

  #only(name: ServerName): [ServerName, Flight<T>][] {
    const flight = this.#flights.get(name);
    return flight === undefined ? [] : [[name, flight]];
  }
}
