/**
 * HTTP/2 to clients on Node's engine, on connections whose handshake chose it by ALPN: the way back from the engine of our own.
 */
import {
  createServer,
  type IncomingHttpHeaders,
  type Http2Server as NodeServer,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type Settings,
} from 'node:http2';
import type { LimitSettings } from '../../../config/settings.js';
import type { ClientConnection } from '../client-connection.js';
import { isAboveLimits, MAX_CONCURRENT_STREAMS, maxListBytes, STREAM_WINDOW_BYTES } from '../http2-limits.js';
import { requestOf, type Http2Head } from './request.js';
import type { RequestObserver, RequestContext } from '../request-context.js';
import type { OnCutOff } from '../on-cut-off.js';
import { SessionIntake } from './session-intake.js';
import { Http2Watch } from '../../../net/http2-watch.js';
import { queuesOf } from '../../../net/send-queues.js';
import { NextTurn } from '../next-turn.js';

/** What nghttp2 may hold for one connection; above it new streams are refused. The pieces under way of all streams fit in. */
const MAX_SESSION_MEMORY_MIB = 32;
const READ_FIELDS = 8_192;

/** A request on its way to the handler. */
interface Arrival {
  readonly stream: ServerHttp2Stream;
  readonly head: Http2Head;
  readonly context: RequestContext;
  readonly intake: SessionIntake;
}

export class NodeHttp2Server {
  readonly #server: NodeServer;
  readonly #handle: (context: RequestContext) => void;
  readonly #observer: RequestObserver;
  readonly #onCutOff: OnCutOff;
  /** Milliseconds of a clock by which budgets fill again. */
  readonly #now: () => number;
  #limits: LimitSettings;
  readonly #watch = new Http2Watch();
  /** A request that is reset in the turn in which it has come is sent nowhere. */
  readonly #arrivals = new NextTurn<Arrival>((arrival) => {
    const { closed, destroyed } = arrival.stream;
    if (!closed && !destroyed) this.#answer(arrival);
  });
  readonly #sessions = new Set<ServerHttp2Session>();
  /** The connection that is being handed over: its session is made within that call. */
  #accepting: ClientConnection | undefined;
  #draining = false;

  constructor(
    limits: LimitSettings,
    handle: (context: RequestContext) => void,
    observer: RequestObserver,
    onCutOff: OnCutOff,
    now: () => number = () => performance.now(),
  ) {
    this.#handle = handle;
    this.#observer = observer;
    this.#onCutOff = onCutOff;
    this.#now = now;
    this.#limits = limits;
    this.#server = createServer({
      maxHeaderListPairs: READ_FIELDS,
      maxSessionMemory: MAX_SESSION_MEMORY_MIB,
      settings: settingsOf(limits),
    });
    this.#server.on('session', (session) => this.#begin(session));
    this.#server.on('sessionError', () => undefined);
  }

  /** New limits, for new connections. */
  configure(limits: LimitSettings): void {
    this.#limits = limits;
    this.#server.updateSettings(settingsOf(limits));
  }

  /** Takes a connection over. */
  accept(connection: ClientConnection): void {
    this.#accepting = connection;
    this.#server.emit('connection', connection.socket);
    this.#accepting = undefined;
  }

  /** Says GOAWAY: requests under way are finished, new ones refused. */
  drain(): void {
    this.#draining = true;
    for (const session of this.#sessions) session.close();
  }

  #begin(session: ServerHttp2Session): void {
    const connection = this.#accepting;
    // Connections come from `accept` only.
    if (connection === undefined) return;
    this.#sessions.add(session);
    let streams = 0;
    // Streams that wait for a backend have time-outs of their own. (A time-out of Node's session goes on when the session is
    // destroyed, and holds all of it, some 6 KB, until it is over.)
    const idle = setTimeout(() => {
      if (streams === 0) session.close();
    }, this.#limits.idleTimeoutMs).unref();
    const intake = new SessionIntake(session, {
      socket: connection.socket,
      now: this.#now,
      onCutOff: (reason, counts) => this.#onCutOff(connection, reason, counts),
    });
    this.#watch.add(session, {
      socket: connection.socket,
      stallMs: this.#limits.bodyTimeoutMs,
      isProbed: true,
      streams: () => streams,
      cut: () => connection.raw.destroy(),
      queues: () => queuesOf(connection.socket),
      onTick: () => intake.onTick(),
    });
    session.on('close', () => {
      clearTimeout(idle);
      this.#sessions.delete(session);
    });
    session.on('error', () => session.destroy());
    session.on(
      'stream',
      (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, raw: string[]) => {
        const head = { headers, raw };
        intake.onHead(raw);
        streams += 1;
        stream.once('close', () => {
          streams -= 1;
          intake.onStreamClose(stream);
          if (streams === 0 && !session.destroyed) idle.refresh();
        });
        this.#arrivals.add({ stream, head, intake, context: requestOf(stream, head, connection, intake) });
      },
    );
    if (this.#draining) session.close();
  }

  #answer({ head, intake, context }: Arrival): void {
    this.#observer.follow(context);
    if (isAboveLimits(head.raw, this.#limits)) {
      intake.onRefusedHead();
      context.client.refuse(431);
    } else if (context.method === 'CONNECT') context.client.refuse(isExtendedConnect(head) ? 501 : 405);
    else if (hasOtherExpectation(head)) context.client.refuse(417);
    else this.#handle(context);
  }
}

/** Whether a CONNECT names a protocol (RFC 8441 §4). */
function isExtendedConnect({ headers }: Http2Head): boolean {
  return headers[':protocol'] !== undefined;
}

function hasOtherExpectation({ headers: { expect } }: Http2Head): boolean {
  return expect !== undefined && expect.toLowerCase() !== '100-continue';
}

function settingsOf(limits: LimitSettings): Settings {
  return {
    maxConcurrentStreams: MAX_CONCURRENT_STREAMS,
    maxHeaderListSize: maxListBytes(limits),
    initialWindowSize: STREAM_WINDOW_BYTES,
    // WebSockets come as streams (RFC 8441).
    enableConnectProtocol: true,
  };
}
