/**
 * HTTP/2 to clients, on connections whose handshake chose it by ALPN.
 */
import type { LimitSettings } from '../../../config/settings.js';
import { TakeWatch } from '../../../net/take-watch.js';
import { TickClock, type Tick } from '../../../base/tick-clock.js';
import type { RequestFields } from '../../http2/request-fields.js';
import type { AbuseCounts } from '../abuse-budget.js';
import type { ClientConnection } from '../client-connection.js';
import { isAboveLimits, maxListBytes } from '../http2-limits.js';
import type { OnCutOff } from '../on-cut-off.js';
import { NextTurn } from '../next-turn.js';
import type { RequestContext, RequestObserver } from '../request-context.js';
import { Http2Connection, type Http2ConnectionOwner } from './connection.js';
import { requestOf } from './request.js';
import type { Http2Stream } from './stream.js';

/** How exact the time-outs of connections are. */
const TICK_MS = 250;
const LINGER_MS = 5_000;
/** A client that does not answer the PING behind the first GOAWAY has the last one so long after that. */
const GOAWAY_MS = 3_000;
interface Arrival {
  readonly stream: Http2Stream;
  readonly context: RequestContext;
  readonly request: RequestFields;
  readonly isOverLimit: boolean;
}

export class Http2Server implements Http2ConnectionOwner {
  readonly now: () => number;
  readonly #handle: (context: RequestContext) => void;
  readonly #observer: RequestObserver;
  readonly #onCutOff: OnCutOff;
  /** With the tick at which something is to be done. */
  readonly #connections = new Map<Http2Connection, Tick>();
  readonly #clock: TickClock;
  /** A request that is reset in the turn in which it has come is sent nowhere. */
  readonly #arrivals = new NextTurn<Arrival>((arrival) => {
    if (!arrival.stream.isClosed) this.#answer(arrival);
  });
  #limits: LimitSettings;
  #isDraining = false;

  constructor(
    limits: LimitSettings,
    handle: (context: RequestContext) => void,
    observer: RequestObserver,
    onCutOff: OnCutOff,
    now: () => number = () => performance.now(),
  ) {
    this.#limits = limits;
    this.#handle = handle;
    this.#observer = observer;
    this.#onCutOff = onCutOff;
    this.now = now;
    this.#clock = new TickClock(TICK_MS, (tick) => {
      const isLook = tick % Math.ceil(TakeWatch.everyMs(this.#limits.bodyTimeoutMs) / TICK_MS) === 0;
      for (const [connection, deadline] of this.#connections) {
        if (deadline <= tick) this.#expire(connection);
        if (isLook) connection.look();
      }
    });
  }

  get maxListBytes(): number {
    return maxListBytes(this.#limits);
  }

  /** New limits, for new connections. */
  configure(limits: LimitSettings): void {
    this.#limits = limits;
  }

  /** Takes a connection over. */
  accept(client: ClientConnection): void {
    this.#clock.start();
    const connection = new Http2Connection(client, this);
    this.#connections.set(connection, this.#clock.after(this.#limits.idleTimeoutMs));
    connection.begin();
    if (this.#isDraining) this.#drain(connection);
  }

  /** Says GOAWAY: requests under way are finished, new ones refused. */
  drain(): void {
    this.#isDraining = true;
    for (const connection of this.#connections.keys()) this.#drain(connection);
  }

  onRequest(
    stream: Http2Stream,
    request: RequestFields,
    connection: Http2Connection,
    isOverLimit: boolean,
  ): void {
    const context = requestOf(stream, request, connection.client);
    this.#arrivals.add({ stream, context, request, isOverLimit });
  }

  onCutOff(connection: Http2Connection, reason: string, counts: AbuseCounts): void {
    this.#onCutOff(connection.client, reason, counts);
  }

  onBusy(connection: Http2Connection, isBusy: boolean): void {
    if (!this.#connections.has(connection)) return;
    const ms = connection.isEnding ? LINGER_MS : this.#limits.idleTimeoutMs;
    this.#connections.set(connection, isBusy ? Infinity : this.#clock.after(ms));
  }

  onClosed(connection: Http2Connection): void {
    this.#connections.delete(connection);
    if (this.#connections.size === 0) this.#clock.stop();
  }

  #drain(connection: Http2Connection): void {
    if (connection.isDraining) return;
    connection.drain();
    this.#connections.set(connection, this.#clock.after(GOAWAY_MS));
  }

  #expire(connection: Http2Connection): void {
    this.#connections.set(connection, Infinity);
    // Who takes the rest slowly has the time for it: `look` ends those who take nothing.
    if (connection.isEnding && connection.output.unsentBytes > 0)
      this.#connections.set(connection, this.#clock.after(LINGER_MS));
    else if (connection.isEnding) connection.client.socket.destroy();
    else if (connection.isDraining) connection.lastGoaway();
    else this.#drain(connection);
  }

  #answer({ context, request, isOverLimit }: Arrival): void {
    this.#observer.follow(context);
    const { fields, protocol, expects } = request;
    if (isOverLimit || isAboveLimits(fields, this.#limits, pseudoBytes(request))) context.client.refuse(431);
    else if (context.method === 'CONNECT') context.client.refuse(protocol === undefined ? 405 : 501);
    else if (expects === 'something else') context.client.refuse(417);
    else this.#handle(context);
  }
}

/** What counts like the first line of a request on HTTP/1.1. */
function pseudoBytes({ method, scheme, path, authority = '', protocol = '' }: RequestFields): number {
  return method.length + scheme.length + path.length + authority.length + protocol.length;
}
