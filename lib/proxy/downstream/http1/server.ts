/**
 * HTTP/1.1 to clients, on connections whose handshake is done.
 */
import type { LimitSettings } from '../../../config/settings.js';
import { TickClock } from '../../../base/tick-clock.js';
import type { ClientConnection } from '../client-connection.js';
import type { ErrorStatus } from '../pages.js';
import type { RequestContext, RequestObserver } from '../request-context.js';
import { Http1Session, type Http1SessionOwner, type Refusal } from './session.js';

/** Is told of each request, and of what was refused unread. */
export interface Http1Observer extends RequestObserver {
  /** What came on a connection was no request; it has been answered. */
  noteRefusal(connection: ClientConnection, refusal: Refusal): void;
}

/** How exact the time-outs of connections are. */
const TICK_MS = 250;

const ALLOWED = { allow: 'GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS' };

export class Http1Server implements Http1SessionOwner {
  readonly clock: TickClock;
  draining: Http1SessionOwner['draining'] = 'no';
  readonly #handle: (context: RequestContext) => void;
  readonly #observer: Http1Observer;
  readonly #sessions = new Set<Http1Session>();
  #limits: LimitSettings;
  #graceTimer: NodeJS.Timeout | undefined;

  constructor(limits: LimitSettings, handle: (context: RequestContext) => void, observer: Http1Observer) {
    this.#limits = limits;
    this.#handle = handle;
    this.#observer = observer;
    this.clock = new TickClock(TICK_MS, (now) => {
      for (const session of this.#sessions) if (session.deadline <= now) session.expire();
    });
  }

  /** New limits, for new connections. */
  configure(limits: LimitSettings): void {
    this.#limits = limits;
  }

  /** Takes a connection over. */
  accept(client: ClientConnection): void {
    this.clock.start();
    const session = new Http1Session(this, client, this.#limits);
    this.#sessions.add(session);
    session.begin();
  }

  /**
   * From now on a connection ends with the response that is under way. An idle one may ask once more: its next request may
   * be on its way already, and would be lost with the connection.
   *
   * @param graceMs how long it may. A later call may shorten that.
   */
  drain(graceMs: number): void {
    if (this.draining === 'no') this.draining = 'idle connections may ask once more';
    clearTimeout(this.#graceTimer);
    this.#graceTimer = setTimeout(() => {
      this.draining = 'idle connections are closed';
      for (const session of this.#sessions) session.closeIfIdle();
    }, graceMs).unref();
  }

  onRequest(context: RequestContext, problem: ErrorStatus | undefined): void {
    this.#observer.follow(context);
    if (problem === undefined) this.#handle(context);
    else context.client.refuse(problem, problem === 405 ? ALLOWED : {});
  }

  onRefusal(connection: ClientConnection, refusal: Refusal): void {
    this.#observer.noteRefusal(connection, refusal);
  }

  onClosed(session: Http1Session): void {
    this.#sessions.delete(session);
    if (this.#sessions.size === 0) this.clock.stop();
  }
}
