/**
 * HTTP/2 to clients, on connections whose handshake chose it by ALPN.
 */
import {
  createServer,
  type IncomingHttpHeaders,
  type Http2Server as NodeServer,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type Settings,
} from 'node:http2';
import type { LimitSettings } from '../../config/settings.js';
import type { ClientConnection } from './client-connection.js';
import { MAX_FIELDS } from '../headers/headers.js';
import { requestOf, type Http2Head } from './http2-request.js';
import type { RequestObserver, RequestContext } from './request-context.js';
import { ReceiveWindow } from './http2-receive-window.js';
import { Http2Watch, queuesOf } from '../../net/http2-watch.js';

/** The most streams of a client at once: as many as nginx allows. */
const MAX_CONCURRENT_STREAMS = 128;
/** What nghttp2 may hold for one connection; above it new streams are refused. The pieces under way of all streams fit in. */
const MAX_SESSION_MEMORY_MIB = 32;

/**
 * What a client may send before somebody has taken it, on a stream and on a connection: so much a round trip an upload comes
 * to at most. The 64 KiB that HTTP/2 begins with are 640 KB/s on a line of 100 ms.
 */
const STREAM_WINDOW_BYTES = 1024 ** 2;
const CONNECTION_WINDOW_BYTES = 4 * 1024 ** 2;

export class Http2Server {
  readonly #server: NodeServer;
  readonly #handle: (context: RequestContext) => void;
  readonly #observer: RequestObserver;
  #limits: LimitSettings;
  readonly #watch = new Http2Watch();
  readonly #connections = new WeakMap<ServerHttp2Session, ClientConnection>();
  readonly #sessions = new Set<ServerHttp2Session>();
  /** The connection that is being handed over: its session is made within that call. */
  #accepting: ClientConnection | undefined;
  #draining = false;

  constructor(limits: LimitSettings, handle: (context: RequestContext) => void, observer: RequestObserver) {
    this.#handle = handle;
    this.#observer = observer;
    this.#limits = limits;
    this.#server = createServer({
      maxHeaderListPairs: MAX_FIELDS,
      maxSessionMemory: MAX_SESSION_MEMORY_MIB,
      settings: settingsOf(limits),
    });
    this.#server.on(
      'stream',
      (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, raw?: unknown) =>
        // The raw fields are missing in Node's types.
        this.#answer(stream, { headers, raw: raw as readonly string[] }),
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
    this.#watch.add(session, {
      socket: connection.socket,
      stallMs: this.#limits.bodyTimeoutMs,
      isProbed: true,
      streams: () => streams,
      cut: () => connection.raw.destroy(),
      queues: () => queuesOf(connection.socket),
    });
    session.on('close', () => {
      clearTimeout(idle);
      this.#sessions.delete(session);
    });
    session.on('error', () => session.destroy());
    const window = new ReceiveWindow(session, {
      bytes: CONNECTION_WINDOW_BYTES,
      openBelowBytes: CONNECTION_WINDOW_BYTES - STREAM_WINDOW_BYTES,
    });
    session.on('stream', (stream) => {
      window.follow(stream);
      streams += 1;
      stream.once('close', () => {
        streams -= 1;
        if (streams === 0 && !session.destroyed) idle.refresh();
      });
    });
    if (this.#draining) session.close();
  }

  #answer(stream: ServerHttp2Stream, head: Http2Head): void {
    const { session } = stream;
    const connection =
      session === undefined ? undefined : this.#connections.get(session as ServerHttp2Session);
    if (connection === undefined) {
      stream.close();
      return;
    }
    const context = requestOf(stream, head, connection);
    this.#observer.follow(context);
    // Check the size here: the HTTP/2 setting only asks the client to keep to it.
    const bytes = head.raw.reduce((sum, part) => sum + part.length, 0);
    if (bytes > this.#limits.maxHeaderBytes) context.client.refuse(431);
    else if (context.method === 'CONNECT') context.client.refuse(405);
    else if (hasOtherExpectation(head)) context.client.refuse(417);
    else this.#handle(context);
  }
}

function hasOtherExpectation({ headers: { expect } }: Http2Head): boolean {
  return expect !== undefined && expect.toLowerCase() !== '100-continue';
}

function settingsOf({ maxHeaderBytes }: LimitSettings): Settings {
  return {
    maxConcurrentStreams: MAX_CONCURRENT_STREAMS,
    maxHeaderListSize: maxHeaderBytes,
    initialWindowSize: STREAM_WINDOW_BYTES,
  };
}
