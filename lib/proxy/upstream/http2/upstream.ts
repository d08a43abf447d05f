/**
 * A backend over HTTP/2, by Node's client: the requests are streams of a session, and of a second one where the backend
 * allows no more streams on the first. TLS with ALPN for https origins, prior knowledge for http ones.
 *
 * A session is used until the backend closes it, says GOAWAY, lets a request run out of time, or has another address. What the backend has
 * refused, or has not looked at before its GOAWAY, counts as never sent.
 */
import { connect, type ClientHttp2Session } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import type { BackendOrigin } from '../../../config/backend-origin.js';
import type { HttpBackend, LimitSettings } from '../../../config/settings.js';
import { describeError } from '../../../domain/errors.js';
import { toObject } from '../../headers/to-object.js';
import { Http2Request } from './exchange.js';
import { Http2Watch } from '../../../net/http2-watch.js';
import { queuesOf } from '../../../net/send-queues.js';
import { PROBE_DELAY_MS } from '../../../net/keep-alive.js';
import type { FollowedName, Names } from '../../../net/names/names.js';
import {
  outOfTime,
  UpstreamError,
  type Upstream,
  type UpstreamEvents,
  type UpstreamRequest,
} from '../upstream.js';

/** What nghttp2 may hold for a session; above it answers are refused. Back-pressure keeps it far below. */
const MAX_SESSION_MEMORY_MIB = 256;
/** Of a head or trailers, pseudo fields included. Their octets have a limit of their own; Node's default of 128 fields is below what some send. */
const MAX_FIELDS = 2_048;
/** What a backend may send on one stream before somebody has taken it. */
const STREAM_WINDOW_BYTES = 262_144;

interface OpenSession {
  readonly session: ClientHttp2Session;
  /** The address of the other end, once there is a connection; undefined on a unix socket. */
  peer: string | undefined;
  streams: number;
}

export class Http2Upstream implements Upstream {
  readonly name: string;
  readonly #backend: HttpBackend;
  readonly #origin: BackendOrigin;
  readonly #limits: LimitSettings;
  readonly #names: Names;
  readonly #watch = new Http2Watch();
  /** Those that new requests may go to. */
  readonly #sessions = new Set<OpenSession>();
  /** The backend's, while there are such sessions; undefined for an address. */
  #name: FollowedName | undefined;

  constructor(backend: HttpBackend, limits: LimitSettings, names: Names) {
    this.name = backend.socketPath === undefined ? `h2+${backend.origin}` : `h2+unix:${backend.socketPath}`;
    this.#backend = backend;
    this.#origin = backend.parsed;
    this.#limits = limits;
    this.#names = names;
  }

  get connections(): { readonly open: number; readonly idle: number } {
    const sessions = [...this.#sessions];
    return { open: sessions.length, idle: sessions.filter(({ streams }) => streams === 0).length };
  }

  dispatch(request: UpstreamRequest, events: UpstreamEvents): void {
    const { method, path, host, headers, neverIndexedNames, added, body } = request;
    const open = this.#freeSession() ?? this.#open();
    const abort = new AbortController();
    try {
      const stream = open.session.request(
        {
          ':method': method,
          ':path': path,
          ':scheme': this.#origin.isTls ? 'https' : 'http',
          ...(host !== undefined && { ':authority': host }),
          ...toObject(added === undefined ? headers : [...headers, ...added.list], neverIndexedNames),
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
    for (const one of open) this.#forget(one);
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
      if (open.session.closed || open.session.destroyed) this.#forget(open);
      else if (open.streams < (open.session.remoteSettings.maxConcurrentStreams ?? Infinity)) return open;
    }
    return undefined;
  }

  /** Sends no new requests on a session; those under way go on. */
  #retire(open: OpenSession): void {
    this.#forget(open);
    if (!open.session.closed) open.session.close();
  }

  #forget(open: OpenSession): void {
    this.#sessions.delete(open);
    if (this.#sessions.size > 0) return;
    this.#name?.stop();
    this.#name = undefined;
  }

  /** Whether the session goes to an address that the name has no more. */
  #isOutdated({ peer }: OpenSession): boolean {
    return peer !== undefined && this.#name?.has(peer) === false;
  }

  #onNameChange(): void {
    for (const open of [...this.#sessions]) if (this.#isOutdated(open)) this.#retire(open);
  }

  #open(): OpenSession {
    const { origin, socketPath } = this.#backend;
    const { serverName, address } = this.#origin;
    this.#name ??= this.#names.follow(address, () => this.#onNameChange());
    const session = connect(origin, {
      ...(socketPath === undefined && this.#names.destination(address)),
      maxSessionMemory: MAX_SESSION_MEMORY_MIB,
      maxHeaderListPairs: MAX_FIELDS,
      settings: { enablePush: false, initialWindowSize: STREAM_WINDOW_BYTES },
      // The certificate must be for the host of the URL.
      ...(serverName !== '' && { servername: serverName }),
      ...(socketPath !== undefined && { createConnection: () => connectTcp(socketPath) }),
    });
    const open: OpenSession = { session, peer: undefined, streams: 0 };
    this.#sessions.add(open);
    const { backendConnectTimeoutMs } = this.#limits;
    const timer = setTimeout(() => {
      const error = outOfTime('backend-connect-timeout', false, 'no connection to the backend');
      session.destroy(error);
    }, backendConnectTimeoutMs);
    session.once('connect', (_, socket) => {
      clearTimeout(timer);
      socket.setKeepAlive(true, PROBE_DELAY_MS);
      open.peer = socket.remoteAddress;
      // The name may have changed meanwhile. Not closed at once: requests that have waited for the connection would fail.
      if (this.#isOutdated(open)) setImmediate(() => this.#retire(open));
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
      this.#forget(open);
    });
    // The streams of the session fail with it, and report the error.
    session.on('error', () => undefined);
    session.on('goaway', () => this.#forget(open));
    return open;
  }
}
