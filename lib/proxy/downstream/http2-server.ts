/**
 * HTTP/2 to clients, on connections whose handshake chose it by ALPN.
 */
import {
  createServer,
  type Http2Server as NodeServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type Settings,
} from 'node:http2';
import type { LimitSettings } from '../../config/settings.js';
import type { ClientConnection } from './client-connection.js';
import { Http2ResponseWriter } from './http2-response-writer.js';
import { MAX_FIELDS, withoutPseudoFields } from '../headers/headers.js';
import type { RequestObserver, RequestContext } from './request-context.js';
import type { AbuseCounts } from './http2-abuse-budget.js';
import { STREAM_WINDOW_BYTES } from './http2-receive-window.js';
import { bytesOf, SessionIntake } from './http2-session-intake.js';
import { Http2Watch, queuesOf } from '../../net/http2-watch.js';
import { NextTurn } from './next-turn.js';
import { newRequestId } from './request-id.js';

/** The most streams of a client at once: as many as nginx allows. */
const MAX_CONCURRENT_STREAMS = 128;
/** What nghttp2 may hold for one connection; above it new streams are refused. The pieces under way of all streams fit in. */
const MAX_SESSION_MEMORY_MIB = 32;
/**
 * Heads up to so much are read so that they can be answered: 431 where they are above our limits. Node resets others. It is more than
 * nghttp2 takes in nine frames, and after those it ends the session. RFC 9113 counts 32 octets more for each field.
 */
const READ_HEADER_BYTES = 256 * 1_024;
const FIELD_OVERHEAD_BYTES = 32;
const READ_FIELDS = 8_192;

/** Is told of a client that was cut off, for its errors or for what it made us do. */
export type OnCutOff = (connection: ClientConnection, reason: string, counts: AbuseCounts) => void;

/** A request on its way to the handler. */
interface Arrival {
  readonly request: Http2ServerRequest;
  readonly response: Http2ServerResponse;
  readonly awaitsContinue: boolean;
}

export class Http2Server {
  readonly #server: NodeServer;
  readonly #handle: (context: RequestContext) => void;
  readonly #observer: RequestObserver;
  readonly #onCutOff: OnCutOff;
  #limits: LimitSettings;
  readonly #watch = new Http2Watch();
  readonly #connections = new WeakMap<ServerHttp2Session, ClientConnection>();
  readonly #intakes = new WeakMap<ServerHttp2Session, SessionIntake>();
  /** A request that is reset in the turn in which it has come is sent nowhere. */
  readonly #arrivals = new NextTurn<Arrival>(({ request, response, awaitsContinue }) => {
    const { closed, destroyed } = request.stream;
    if (!closed && !destroyed) this.#answer(request, response, awaitsContinue);
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
  ) {
    this.#handle = handle;
    this.#observer = observer;
    this.#onCutOff = onCutOff;
    this.#limits = limits;
    this.#server = createServer(
      {
        maxHeaderListPairs: READ_FIELDS,
        maxSessionMemory: MAX_SESSION_MEMORY_MIB,
        settings: settingsOf(limits),
      },
      (request, response) => this.#arrivals.add({ request, response, awaitsContinue: false }),
    );
    this.#server.on('checkContinue', (request: Http2ServerRequest, response: Http2ServerResponse) =>
      this.#arrivals.add({ request, response, awaitsContinue: true }),
    );
    this.#server.on('connect', (request: Http2ServerRequest, response: Http2ServerResponse) =>
      new Http2ResponseWriter({ request, response, id: newRequestId(), awaitsContinue: false }).refuse(405),
    );
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
    this.#connections.set(session, connection);
    this.#sessions.add(session);
    let streams = 0;
    // Streams that wait for a backend have time-outs of their own. (A time-out of Node's session goes on when the session is
    // destroyed, and holds all of it, some 6 KB, until it is over.)
    const idle = setTimeout(() => {
      if (streams === 0) session.close();
    }, this.#limits.idleTimeoutMs).unref();
    const intake = new SessionIntake(session, {
      socket: connection.socket,
      onCutOff: (reason, counts) => this.#onCutOff(connection, reason, counts),
    });
    this.#intakes.set(session, intake);
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
      (stream: ServerHttp2Stream, _: IncomingHttpHeaders, _flags: number, raw: string[]) => {
        intake.onStream(stream, raw);
        streams += 1;
        stream.once('close', () => {
          streams -= 1;
          intake.onStreamClose(stream);
          if (streams === 0 && !session.destroyed) idle.refresh();
        });
      },
    );
    if (this.#draining) session.close();
  }

  #answer(request: Http2ServerRequest, response: Http2ServerResponse, awaitsContinue: boolean): void {
    const session = request.stream.session;
    const connection =
      session === undefined ? undefined : this.#connections.get(session as ServerHttp2Session);
    if (connection === undefined) {
      request.stream.close();
      return;
    }
    const context = contextOf(request, response, connection, awaitsContinue);
    this.#observer.follow(context);
    const { rawHeaders } = request;
    if (rawHeaders.length > 2 * MAX_FIELDS || bytesOf(rawHeaders) > this.#limits.maxHeaderBytes) {
      this.#intakes.get(session as ServerHttp2Session)?.onRefusedHead();
      context.client.refuse(431);
    } else this.#handle(context);
  }
}

function settingsOf({ maxHeaderBytes }: LimitSettings): Settings {
  return {
    maxConcurrentStreams: MAX_CONCURRENT_STREAMS,
    maxHeaderListSize: Math.max(READ_HEADER_BYTES, maxHeaderBytes + MAX_FIELDS * FIELD_OVERHEAD_BYTES),
    initialWindowSize: STREAM_WINDOW_BYTES,
  };
}

function contextOf(
  request: Http2ServerRequest,
  response: Http2ServerResponse,
  connection: ClientConnection,
  awaitsContinue: boolean,
): RequestContext {
  const id = newRequestId();
  const { rawHeaders, headers, method, url } = request;
  // A `Host` beside `:authority` must be equal to it (RFC 9113 §8.3.1); without `:authority` it takes its place.
  const authority = headers[':authority'];
  const hosts = rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1] === 'host');
  const host = authority ?? hosts[0];
  const isContradiction = hosts.some((other) => other.toLowerCase() !== host?.toLowerCase());
  return {
    id,
    request,
    response,
    client: new Http2ResponseWriter({ request, response, id, awaitsContinue }),
    connection,
    method,
    url,
    host: isContradiction ? undefined : host,
    headers: withoutPseudoFields(rawHeaders),
    httpVersion: '2.0',
    hasBody: !request.stream.endAfterHeaders,
    startedAtMs: performance.now(),
  };
}
