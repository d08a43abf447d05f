/**
 * How many connections a worker has, and how many of one client address.
 *
 * A connection takes a slot when it is accepted, and one of its client's slots when the client is known: with a PROXY header that
 * is later. The address of a client on a unix socket is empty: it counts in the total only.
 */
import { Counts } from '../base/counts.js';

interface Limits {
  readonly maxConnections: number;
  /** From one client address. */
  readonly maxConnectionsPerClient: number;
}

export interface ConnectionLimitsOptions {
  /** Asked at each connection: a reload may change them. */
  limits(): Limits;
  /** The time in milliseconds, from any origin. */
  readonly now: () => number;
  /** Is told of refused connections, at most once a second: which limit was reached, and how many were refused since the last time. */
  onRefused(limit: keyof Limits, count: number, client: string): void;
}

const REPORT_INTERVAL_MS = 1_000;

export class ConnectionLimits {
  readonly #options: ConnectionLimitsOptions;
  readonly #taken: Taken = {
    take: (client) => this.#take(client),
    release: (client) => this.#release(client),
  };
  readonly #clients = new Counts();
  #open = 0;
  #admitted = 0;
  readonly #refusedOver = { maxConnections: 0, maxConnectionsPerClient: 0 };
  #unreported = 0;
  #reportedAtMs = -Infinity;

  constructor(options: ConnectionLimitsOptions) {
    this.#options = options;
  }

  get open(): number {
    return this.#open;
  }

  /** Connections within `maxConnections` since the start. */
  get admitted(): number {
    return this.#admitted;
  }

  /** Connections refused since the start. */
  get refused(): number {
    return this.#refusedOver.maxConnections + this.#refusedOver.maxConnectionsPerClient;
  }

  /** The same by the limit that was reached. */
  get refusedOver(): Readonly<Limits> {
    return this.#refusedOver;
  }

  /** @returns undefined over the limit: the connection is to be closed. */
  admit(client: string): ConnectionSlot | undefined {
    if (this.#open >= this.#options.limits().maxConnections) {
      this.#refuse('maxConnections', client);
      return undefined;
    }
    this.#open += 1;
    this.#admitted += 1;
    return new ConnectionSlot(this.#taken);
  }

  #take(client: string): boolean {
    if (this.#clients.of(client) >= this.#options.limits().maxConnectionsPerClient) {
      this.#refuse('maxConnectionsPerClient', client);
      return false;
    }
    this.#clients.change(client, 1);
    return true;
  }

  /** @param client the client whose slot is given back; empty: none was claimed. */
  #release(client: string): void {
    this.#open -= 1;
    if (client !== '') this.#clients.change(client, -1);
  }

  #refuse(limit: keyof Limits, client: string): void {
    this.#refusedOver[limit] += 1;
    this.#unreported += 1;
    const nowMs = this.#options.now();
    if (nowMs - this.#reportedAtMs < REPORT_INTERVAL_MS) return;
    this.#reportedAtMs = nowMs;
    this.#options.onRefused(limit, this.#unreported, client);
    this.#unreported = 0;
  }
}

/** The counters, as a slot sees them. */
interface Taken {
  take(client: string): boolean;
  release(client: string): void;
}

/** The slot of one connection. */
export class ConnectionSlot {
  readonly #taken: Taken;
  #client = '';
  #isLeft = false;

  constructor(taken: Taken) {
    this.#taken = taken;
  }

  /** Takes one of the slots of its client. @returns false over the limit: the connection is to be closed. */
  claim(client: string): boolean {
    if (this.#isLeft || this.#client !== '' || client === '') return true;
    if (!this.#taken.take(client)) return false;
    this.#client = client;
    return true;
  }

  /** Gives the slot back, and that of its client. May be called more than once. */
  release(): void {
    if (this.#isLeft) return;
    this.#isLeft = true;
    this.#taken.release(this.#client);
  }
}
