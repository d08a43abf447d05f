/**
 * A backend over HTTP/2, by Node's client: the requests are streams of a session, and of a second one where the backend
 * allows no more streams on the first. TLS with ALPN for https origins, prior knowledge for http ones.
 *
 * A session is used until the backend closes it, says GOAWAY or lets a request run out of time. What the backend has
 * refused, or has not looked at before its GOAWAY, counts as never sent.
 */
import { connect, type ClientHttp2Session } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import type { BackendOrigin } from '../../../config/backend-origin.js';
import type { HttpBackend, LimitSettings } from '../../../config/settings.js';
import { describeError } from '../../../domain/errors.js';
import { toObject } from '../../headers/to-object.js';
import { Http2Request } from './exchange.js';
import { Http2Watch, queuesOf } from '../../../net/http2-watch.js';
import { UpstreamError, type Upstream, type UpstreamEvents, type UpstreamRequest } from '../upstream.js';

/** What nghttp2 may hold for a session; above it answers are refused. Back-pressure keeps it far below. */
const MAX_SESSION_MEMORY_MIB = 256;
/** What a backend may send on one stream before somebody has taken it. */
const STREAM_WINDOW_BYTES = 262_144;

interface OpenSession {
  readonly session: ClientHttp2Session;
  streams: number;
}

export class Http2Upstream implements Upstream {
  readonly name: string;
  readonly #backend: HttpBackend;
  readonly #origin: BackendOrigin;
  readonly #limits: LimitSettings;
  readonly #watch = new Http2Watch();
  /** Those that new requests may go to. */
  readonly #sessions = new Set<OpenSession>();

  constructor(backend: HttpBackend, limits: LimitSettings) {
    this.name = backend.socketPath === undefined ? `h2+${backend.origin}` : `h2+unix:${backend.socketPath}`;
    this.#backend = backend;
    this.#origin = backend.parsed;
    this.#limits = limits;
  }

  dispatch(request: UpstreamRequest, events: UpstreamEvents): void {
    const { method, path, host, headers, body } = request;
    const open = this.#freeSession() ?? this.#open();
    const abort = new AbortController();
    try {
      const stream = open.session.request(
        {
          ':method': method,
          ':path': path,
          ':scheme': this.#origin.isTls ? 'https' : 'http',
          ...(host !== undefined && { ':authority': host }),
          ...toObject(headers),
          // Trailers are passed on, whatever the client's hop can do.
          te: 'trailers',
        },
        { endStream: body === null, waitForTrailers: body !== null, signal: abort.signal },
      );
      open.streams += 1;
      // An idle session does not keep the process.
      open.session.ref();
      stream.once('close', () => {
        open.streams -= 1;
        if (open.streams === 0 && !open.session.destroyed) open.session.unref();
      });
      new Http2Request(stream, request, events, {
        headersTimeoutMs: this.#limits.backendHeadersTimeoutMs,
        bodyTimeoutMs: this.#limits.backendBodyTimeoutMs,
        abort,
        // The backend may be gone without having closed the connection.
        onTimeout: () => this.#retire(open),
      });
    } catch (thrown) {
      events.onError(new UpstreamError('invalid', false, describeError(thrown), { cause: thrown }));
    }
  }

  async close(): Promise<void> {
    const open = [...this.#sessions];
    this.#sessions.clear();
    await Promise.all(
      open.map(
        ({ session }) =>
          new Promise<void>((resolve) => {
            if (session.destroyed) {
              resolve();
              return;
            }
            session.once('close', () => resolve());
            session.close();
          }),
      ),
    );
  }

  #freeSession(): OpenSession | undefined {
    for (const open of this.#sessions) {
      if (open.session.closed || open.session.destroyed) this.#sessions.delete(open);
      else if (open.streams < (open.session.remoteSettings.maxConcurrentStreams ?? Infinity)) return open;
    }
    return undefined;
  }

  /** Sends no new requests on a session; those under way go on. */
  #retire(open: OpenSession): void {
    this.#sessions.delete(open);
    if (!open.session.closed) open.session.close();
  }

  #open(): OpenSession {
    const { origin, socketPath } = this.#backend;
    const { serverName } = this.#origin;
    const session = connect(origin, {
      maxSessionMemory: MAX_SESSION_MEMORY_MIB,
      settings: { enablePush: false, initialWindowSize: STREAM_WINDOW_BYTES },
      // The certificate must be for the host of the URL.
      ...(serverName !== '' && { servername: serverName }),
      ...(socketPath !== undefined && { createConnection: () => connectTcp(socketPath) }),
    });
    const open: OpenSession = { session, streams: 0 };
    this.#sessions.add(open);
    const { backendConnectTimeoutMs } = this.#limits;
    const timer = setTimeout(() => {
      const error = new UpstreamError('timeout', false, `no connection after ${backendConnectTimeoutMs} ms`);
      session.destroy(error);
    }, backendConnectTimeoutMs);
    session.once('connect', (_, socket) => {
      clearTimeout(timer);
      this.#watch.add(session, {
        socket,
        stallMs: this.#limits.backendBodyTimeoutMs,
        isProbed: false,
        streams: () => open.streams,
        cut: () => socket.destroy(),
        queues: () => queuesOf(socket),
      });
    });
    session.once('close', () => {
      clearTimeout(timer);
      this.#sessions.delete(open);
    });
    // The streams of the session fail with it, and report the error.
    session.on('error', () => undefined);
    session.on('goaway', () => this.#sessions.delete(open));
    return open;
  }
}
