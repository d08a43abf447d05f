/**
 * A backend over HTTP/1.1: undici's pool of kept connections.
 */
import { isIP } from 'node:net';
import type { LimitSettings } from '../config/settings.js';
import { describeError } from '../domain/errors.js';
import { buildConnector, errors, Pool, type Connector, type Dispatcher } from './undici-pool.js';
import {
  UpstreamError,
  type HttpBackend,
  type Upstream,
  type UpstreamEvents,
  type UpstreamFailure,
  type UpstreamRequest,
} from './upstream.js';

/** Idle connections are closed a little before common servers close them (5 s in Node, 75 s in nginx). */
const KEEP_ALIVE_MS = 4_000;

/** What only some backends have. */
export interface Http1UpstreamOptions {
  /** What the backend's certificate must chain to. Absent: the system's authorities. */
  readonly caPem?: string;
  /** Connections at once; further requests wait. Absent: as many as it takes. */
  readonly maxConnections?: number;
}

/** Understood by undici, missing in its types. */
interface DispatchOptions extends Dispatcher.DispatchOptions {
  /** What a connection is for: those of another name are closed. */
  readonly servername: string;
}

export class Http1Upstream implements Upstream {
  readonly name: string;
  readonly upgradeBackend: HttpBackend;
  readonly #pool: Pool;
  readonly #servername: string;

  constructor(backend: HttpBackend, limits: LimitSettings, options: Http1UpstreamOptions = {}) {
    const { hostname } = new URL(backend.origin);
    this.name = backend.socketPath === undefined ? backend.origin : `unix:${backend.socketPath}`;
    this.upgradeBackend = backend;
    this.#servername = hostname;
    this.#pool = new Pool(backend.origin, {
      keepAliveTimeout: KEEP_ALIVE_MS,
      connections: options.maxConnections ?? null,
      connect: connectorTo(backend, hostname, limits.backendConnectTimeoutMs, options.caPem),
      headersTimeout: limits.backendHeadersTimeoutMs,
      bodyTimeout: limits.backendBodyTimeoutMs,
    });
  }

  dispatch(request: UpstreamRequest, events: UpstreamEvents): void {
    // undici sends no trailers: those of a request end here.
    const { method, path, host, headers, body } = request;
    const options: DispatchOptions = {
      path,
      method,
      headers: host === undefined ? [...headers] : ['Host', host, ...headers],
      body,
      servername: this.#servername,
    };
    try {
      this.#pool.dispatch(options, new Course(events));
    } catch (thrown) {
      // undici refuses some requests at once: a malformed target, a forbidden field.
      events.onError(new UpstreamError('invalid', false, describeError(thrown), { cause: thrown }));
    }
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }
}

/** Connects to a backend. The certificate must be for the host of its URL, which `dispatch` says with each request. */
function connectorTo(
  { socketPath }: HttpBackend,
  hostname: string,
  timeoutMs: number,
  ca: string | undefined,
): Connector {
  const connect = buildConnector({
    timeout: timeoutMs,
    ...(socketPath === undefined ? {} : { socketPath }),
    ...(ca === undefined ? {} : { ca }),
  });
  // An address is no server name; the certificate must hold it all the same.
  const isAddress = isIP(hostname.replace(/^\[(.*)\]$/, '$1')) !== 0;
  return (options, callback) =>
    connect(isAddress ? { ...options, servername: '' } : options, (...result) => {
      // Before undici's own listener.
      result[1]?.on('error', noteBreak);
      callback(...result);
    });
}

/** True while a connection tells its listeners that it has broken. */
let isBreaking = false;

/**
 * undici takes a reset for the end of a body that has no length (as macOS shows some ends): half a body would be passed on as
 * a whole one. It says so from within the socket's own event.
 */
function noteBreak(): void {
  isBreaking = true;
  process.nextTick(() => (isBreaking = false));
}

/** From undici's events to ours. */
class Course implements Dispatcher.DispatchHandler {
  readonly #events: UpstreamEvents;
  #sent = false;

  constructor(events: UpstreamEvents) {
    this.#events = events;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // From here on the request is on a connection.
    this.#sent = true;
    this.#events.onStart(controller);
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    statusMessage?: string,
  ): void {
    const raw = textOf(controller.rawHeaders);
    if (status < 200) this.#events.onInformation(status, raw);
    else this.#events.onHead(status, statusMessage, raw);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#events.onData(chunk);
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    if (isBreaking) {
      this.#events.onError(
        new UpstreamError('broken', true, 'the connection broke in the middle of the body'),
      );
      return;
    }
    this.#events.onEnd(textOf(controller.rawTrailers));
  }

  onResponseError(controller: Dispatcher.DispatchController | undefined, error: Error): void {
    const kind = controller?.aborted === true ? 'aborted' : kindOf(error, this.#sent);
    this.#events.onError(new UpstreamError(kind, this.#sent, describeError(error), { cause: error }));
  }
}

/** What undici has as Buffers. */
function textOf(raw: unknown): string[] {
  const text: string[] = [];
  if (!Array.isArray(raw)) return text;
  for (const part of raw) text.push(Buffer.isBuffer(part) ? part.toString('latin1') : String(part));
  return text;
}

function kindOf(error: Error, sent: boolean): UpstreamFailure {
  if (
    error instanceof errors.ConnectTimeoutError ||
    error instanceof errors.HeadersTimeoutError ||
    error instanceof errors.BodyTimeoutError
  ) {
    return 'timeout';
  }
  if (
    error instanceof errors.InvalidArgumentError ||
    error instanceof errors.RequestContentLengthMismatchError
  ) {
    return 'invalid';
  }
  return sent ? 'broken' : 'connect';
}
