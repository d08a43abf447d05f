/**
 * The connections to one backend on HTTP/1.1: kept while they are idle, made when there is none, up to a number where there is
 * one; further requests wait in turn, and those that are given up meanwhile are passed over.
 *
 * All deadlines of a pool are looked at by one clock that ticks a few times within the shortest of them: a timer for each
 * request would cost more than the request's bookkeeping.
 */
import type { OnReadOpts, Socket } from 'node:net';
import type { FollowedName } from '../../../net/names/names.js';
import { TakeWatch } from '../../../net/take-watch.js';
import { Http1Connection, type Http1ConnectionOwner } from './connection.js';
import type { Http1Request } from './request.js';
import { TickClock } from '../../../base/tick-clock.js';

export interface Http1PoolOptions {
  readonly connect: (onread: OnReadOpts) => Socket;
  /** Follows the name of the backend. Undefined: it has none. */
  follow(onChange: () => void): FollowedName | undefined;
  /** Of the socket: `connect` or `secureConnect`. */
  readonly readyEvent: string;
  /** Connections at once. */
  readonly maxConnections: number;
  readonly connectTimeoutMs: number;
  /** From the end of a request to the head of its response. */
  readonly headersTimeoutMs: number;
  /** Between two pieces of a response. */
  readonly bodyTimeoutMs: number;
  /** An idle connection is closed, where the backend has not said how long it leaves it open. */
  readonly idleTimeoutMs: number;
}

/** Retire idle connections this long before the backend would close them. */
const IDLE_MARGIN_MS = 2_000;
/** The longest that a connection is kept idle, whatever the backend allows. */
const MAX_IDLE_MS = 600_000;
const MIN_TICK_MS = 10;
const MAX_TICK_MS = 500;
const TICKS_A_DEADLINE = 8;

export class Http1Pool implements Http1ConnectionOwner {
  readonly #options: Http1PoolOptions;
  readonly #clock: TickClock;
  readonly #connections = new Set<Http1Connection>();
  /** The one that was used last is used next: the others lapse when there are more than are needed. */
  readonly #free: Http1Connection[] = [];
  readonly #waiting: Http1Request[] = [];
  /** While there are connections. */
  #name: FollowedName | undefined;
  #onEmpty: (() => void) | undefined;
  #whenEmpty: Promise<void> | undefined;
  #isClosing = false;

  constructor(options: Http1PoolOptions) {
    this.#options = options;
    const { connectTimeoutMs, headersTimeoutMs, bodyTimeoutMs, idleTimeoutMs } = options;
    const shortestMs = Math.min(connectTimeoutMs, headersTimeoutMs, bodyTimeoutMs, idleTimeoutMs);
    const tickMs = Math.min(MAX_TICK_MS, Math.max(MIN_TICK_MS, Math.floor(shortestMs / TICKS_A_DEADLINE)));
    this.#clock = new TickClock(tickMs, (now) => {
      for (const connection of this.#connections) if (connection.deadline <= now) connection.expire();
    });
  }

  /** Sends a request, or keeps it until there is a connection. */
  dispatch(request: Http1Request): void {
    if (request.message.needsNewConnection !== true) {
      for (let connection = this.#free.pop(); connection !== undefined; connection = this.#free.pop()) {
        if (connection.take(request)) return;
      }
    }
    // A request that needs a new connection, and may not open one, gets it when an old one closes.
    if (this.#connections.size < this.#options.maxConnections) this.#open(request);
    else this.#waiting.push(request);
  }

  /** Ends when the requests under way have ended. */
  async close(): Promise<void> {
    this.#isClosing = true;
    for (const connection of this.#free.splice(0)) connection.destroy();
    if (this.#connections.size === 0) return;
    this.#whenEmpty ??= new Promise((resolve) => (this.#onEmpty = resolve));
    await this.#whenEmpty;
  }

  get counts(): { readonly open: number; readonly idle: number } {
    return { open: this.#connections.size, idle: this.#free.length };
  }

  get connectDeadline(): number {
    return this.#clock.after(this.#options.connectTimeoutMs);
  }

  get headersDeadline(): number {
    return this.#clock.after(this.#options.headersTimeoutMs);
  }

  get lookDeadline(): number {
    return this.#clock.after(TakeWatch.everyMs(this.#options.headersTimeoutMs));
  }

  get bodyDeadline(): number {
    return this.#clock.after(this.#options.bodyTimeoutMs);
  }

  idleDeadline(keepAliveMs: number | undefined): number | undefined {
    if (this.#isClosing && this.#waiting.length === 0) return undefined;
    if (keepAliveMs === undefined) return this.#clock.after(this.#options.idleTimeoutMs);
    const idleMs = Math.min(keepAliveMs - IDLE_MARGIN_MS, MAX_IDLE_MS);
    return idleMs <= 0 ? undefined : this.#clock.after(idleMs);
  }

  onReady(connection: Http1Connection): void {
    // The name may have changed while the connection was made.
    this.#judge(connection);
  }

  onFree(connection: Http1Connection): void {
    const next = this.#nextWaiting();
    if (next === undefined) this.#free.push(connection);
    else if (!connection.take(next)) this.#waiting.unshift(next);
  }

  onClosed(connection: Http1Connection): void {
    this.#connections.delete(connection);
    const index = this.#free.indexOf(connection);
    if (index !== -1) this.#free.splice(index, 1);
    const next = this.#nextWaiting();
    if (next !== undefined) this.#open(next);
    if (this.#connections.size > 0) return;
    this.#clock.stop();
    this.#name?.stop();
    this.#name = undefined;
    this.#onEmpty?.();
  }

  /** The request whose turn it is. Requests that were given up are skipped: a connection made for one would delay those behind it. */
  #nextWaiting(): Http1Request | undefined {
    for (;;) {
      const next = this.#waiting.shift();
      if (next?.message.isGivenUp?.() !== true) return next;
      next.fail('aborted', 'the request was given up before there was a connection');
    }
  }

  #open(request: Http1Request): void {
    const { connect, readyEvent } = this.#options;
    this.#name ??= this.#options.follow(() => this.#onNameChange());
    this.#clock.start();
    this.#connections.add(new Http1Connection(this, connect, readyEvent, request));
  }

  #onNameChange(): void {
    for (const connection of this.#connections) this.#judge(connection);
  }

  /** A connection to an address that the name has no more serves no further request. */
  #judge(connection: Http1Connection): void {
    const { peer } = connection;
    if (peer !== undefined && this.#name?.has(peer) === false) connection.retire();
  }
}
