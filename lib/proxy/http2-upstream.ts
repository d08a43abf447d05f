/**
 * A backend over HTTP/2, by Node's client: one session, on which the requests are streams; a new one when the backend has
 * closed it or says GOAWAY. TLS with ALPN for https origins, prior knowledge for http ones.
 */
import {
  connect,
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
} from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { pipeline } from 'node:stream';
import type { LimitSettings } from '../config/settings.js';
import { describeError } from '../domain/errors.js';
import { toObject } from './fields.js';
import {
  UpstreamError,
  type HttpBackend,
  type Upstream,
  type UpstreamEvents,
  type UpstreamFailure,
  type UpstreamRequest,
} from './upstream.js';

export class Http2Upstream implements Upstream {
  readonly name: string;
  readonly #backend: HttpBackend;
  readonly #limits: LimitSettings;
  #session: ClientHttp2Session | undefined;

  constructor(backend: HttpBackend, limits: LimitSettings) {
    this.name = backend.origin.replace(/^http/, 'h2+http');
    this.#backend = backend;
    this.#limits = limits;
  }

  dispatch(request: UpstreamRequest, events: UpstreamEvents): void {
    const { method, path, host, headers, body } = request;
    const scheme = this.#backend.origin.startsWith('https:') ? 'https' : 'http';
    let stream: ClientHttp2Stream;
    try {
      stream = this.#open().request(
        {
          ':method': method,
          ':path': path,
          ':scheme': scheme,
          ...(host !== undefined && { ':authority': host }),
          ...toObject(headers),
          // We pass trailers on, whatever the client's hop can do.
          te: 'trailers',
        },
        { endStream: body === null, waitForTrailers: body !== null },
      );
    } catch (thrown) {
      events.onError(new UpstreamError('invalid', false, describeError(thrown), { cause: thrown }));
      return;
    }
    new Course(stream, request, events, this.#limits);
  }

  close(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    if (session === undefined || session.destroyed) return Promise.resolve();
    return new Promise((resolve) => session.close(resolve));
  }

  #open(): ClientHttp2Session {
    const current = this.#session;
    if (current !== undefined && !current.closed && !current.destroyed) return current;
    const { origin, socketPath } = this.#backend;
    const session = connect(
      origin,
      socketPath === undefined ? {} : { createConnection: () => connectTcp(socketPath) },
    );
    const { backendConnectTimeoutMs } = this.#limits;
    const timer = setTimeout(
      () =>
        session.destroy(
          new UpstreamError('timeout', false, `no connection in ${backendConnectTimeoutMs} ms`),
        ),
      backendConnectTimeoutMs,
    );
    session.once('connect', () => clearTimeout(timer));
    session.once('close', () => clearTimeout(timer));
    // Its streams fail with it, and tell those who wait.
    session.on('error', () => undefined);
    session.on('goaway', () => {
      if (this.#session === session) this.#session = undefined;
    });
    // An idle session does not keep the process.
    session.unref();
    this.#session = session;
    return session;
  }
}

/** One stream, from Node's events to ours. */
class Course {
  readonly #stream: ClientHttp2Stream;
  readonly #events: UpstreamEvents;
  #trailers: string[] = [];
  #aborted = false;
  #hasHead = false;
  #isOver = false;

  constructor(
    stream: ClientHttp2Stream,
    request: UpstreamRequest,
    events: UpstreamEvents,
    limits: LimitSettings,
  ) {
    this.#stream = stream;
    this.#events = events;
    stream.setTimeout(limits.backendHeadersTimeoutMs, () => this.#timeOut());
    stream.on('headers', (headers: IncomingHttpHeaders) =>
      events.onInformation(Number(headers[':status']), flat(headers)),
    );
    stream.on('response', (headers) => {
      this.#hasHead = true;
      stream.setTimeout(limits.backendBodyTimeoutMs, () => this.#timeOut());
      events.onHead(Number(headers[':status']), undefined, flat(headers));
    });
    stream.on('data', (chunk: Buffer) => events.onData(chunk));
    stream.on('trailers', (headers: IncomingHttpHeaders) => (this.#trailers = flat(headers)));
    stream.on('end', () => this.#end());
    stream.on('error', (error: Error) => this.#fail(error));
    stream.on('close', () =>
      this.#fail(new Error(`the backend closed the stream (code ${String(stream.rstCode)})`)),
    );
    stream.on('wantTrailers', () => stream.sendTrailers(toObject(request.trailers())));
    events.onStart({
      pause: () => stream.pause(),
      resume: () => stream.resume(),
      abort: () => {
        this.#aborted = true;
        stream.close(constants.NGHTTP2_CANCEL);
      },
    });
    if (request.body !== null) {
      pipeline(request.body, stream, () => undefined);
    }
  }

  #end(): void {
    // The end of a stream that was reset is no end of the response.
    if (this.#isOver || !this.#hasHead || this.#stream.rstCode) return;
    this.#isOver = true;
    this.#events.onEnd(this.#trailers);
  }

  #timeOut(): void {
    this.#fail(new UpstreamError('timeout', true, 'the backend is out of time'));
    this.#stream.close(constants.NGHTTP2_CANCEL);
  }

  #fail(error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const known = error instanceof UpstreamError ? error : undefined;
    const refused = this.#stream.rstCode === constants.NGHTTP2_REFUSED_STREAM;
    // A stream gets its number when its head is on the wire.
    const sent = known?.sent ?? (this.#stream.id !== undefined && !this.#stream.pending && !refused);
    const kind: UpstreamFailure = this.#aborted
      ? 'aborted'
      : (known?.kind ?? (sent || refused ? 'broken' : 'connect'));
    this.#events.onError(new UpstreamError(kind, sent, describeError(error), { cause: error }));
  }
}

function flat(headers: IncomingHttpHeaders): string[] {
  const fields: string[] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(':') || value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) fields.push(name, one);
  }
  return fields;
}
