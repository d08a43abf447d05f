/**
 * The HTTP engine: requests of a decrypted connection to one backend, streaming both ways with back-pressure.
 *
 * Errors before the backend's response head become 502 (no connection, or a broken answer) or 504 (out of time); after it
 * the client's connection is cut, which is the only way left to say that the body is not whole. A client that goes away
 * aborts the request to the backend.
 *
 * A backend may close an idle connection in the very moment in which a request is sent on it. An idempotent request without
 * a body is therefore sent once more, on another connection, when one was closed without an answer.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import { describeError } from '../domain/errors.js';
import type { BackendSettings } from '../config/settings.js';
import type { Logger } from '../log.js';
import type { Destination } from './destination.js';
import { plainAddress, requestHeaders, responseHeaders } from './headers.js';
import { lingerOnClose } from './linger.js';
import { errorPage, type ErrorStatus, type Page } from './pages.js';
import { RequestBody } from './request-body.js';
import { buildConnector, errors, Pool, type Connector, type Dispatcher } from './undici-pool.js';

/** Idle connections are closed a little before common servers close them (5 s in Node, 75 s in nginx). */
const KEEP_ALIVE_MS = 4_000;

/** How long a backend is waited for. */
export interface BackendTimeouts {
  readonly connectMs: number;
  /** From the request, or the last piece of its body, to the response head. */
  readonly headersMs: number;
  /** Between two pieces of a response body. A client that is slow to take them does not count. */
  readonly bodyMs: number;
}

const TIMEOUTS: BackendTimeouts = { connectMs: 5_000, headersMs: 60_000, bodyMs: 60_000 };

/** RFC 9110 §9.2.2. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** Understood by undici, missing in its types. */
interface DispatchOptions extends Dispatcher.DispatchOptions {
  /** The server name to connect with, and whom the certificate must be for. Undici's default is the request's `Host`. */
  readonly servername: string;
}

export class HttpProxy {
  readonly #pool: Pool;
  readonly #servername: string;
  readonly #log: Logger;

  constructor(backend: BackendSettings, log: Logger, timeouts: BackendTimeouts = TIMEOUTS) {
    this.#log = log;
    const { hostname } = new URL(backend.origin);
    this.#servername = hostname;
    this.#pool = new Pool(backend.origin, {
      keepAliveTimeout: KEEP_ALIVE_MS,
      connect: connectorTo(backend, hostname, timeouts.connectMs),
      headersTimeout: timeouts.headersMs,
      bodyTimeout: timeouts.bodyMs,
    });
  }

  /** Forwards one request. */
  forward(request: IncomingMessage, response: ServerResponse, { path, host }: Destination): void {
    const { rawHeaders, method = 'GET', socket } = request;
    const body = hasBody(request) ? new RequestBody(request) : null;
    const options: DispatchOptions = {
      path,
      method,
      headers: requestHeaders(rawHeaders, { clientAddress: plainAddress(socket.remoteAddress), host }),
      body,
      servername: this.#servername,
    };
    const isOnlyTry = body !== null || !IDEMPOTENT.has(method);
    const exchange = new Exchange(request, response, body, this.#log, isOnlyTry);
    const send = (): void => {
      try {
        this.#pool.dispatch(options, exchange);
      } catch (thrown) {
        // undici refuses some requests at once: a malformed target, a forbidden field.
        exchange.refuse(thrown);
      }
    };
    exchange.sendAgain = send;
    send();
  }

  /** Ends when the requests under way have ended. */
  async close(): Promise<void> {
    await this.#pool.close();
  }
}

/** Connects to a backend. The certificate must be for the host of its URL, which `forward` says with each request. */
function connectorTo({ socketPath }: BackendSettings, hostname: string, timeoutMs: number): Connector {
  const connect = buildConnector({
    timeout: timeoutMs,
    ...(socketPath === undefined ? {} : { socketPath }),
  });
  if (isIP(hostname.replace(/^\[(.*)\]$/, '$1')) === 0) return connect;
  // An address is no server name; the certificate must hold it all the same.
  return (options, callback) => connect({ ...options, servername: '' }, callback);
}

/** One request and its response. */
class Exchange implements Dispatcher.DispatchHandler {
  /** Sends the request again. */
  sendAgain: () => void = () => undefined;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #body: RequestBody | null;
  readonly #log: Logger;
  #controller: Dispatcher.DispatchController | undefined;
  /** Whether the request may be sent once only, or has been sent twice. */
  #isLastTry: boolean;
  #hasBegunBody = false;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    body: RequestBody | null,
    log: Logger,
    isOnlyTry: boolean,
  ) {
    this.#request = request;
    this.#response = response;
    this.#body = body;
    this.#log = log;
    this.#isLastTry = isOnlyTry;
    response.on('close', () => {
      if (!response.writableFinished) this.#controller?.abort(new ClientGone());
    });
    response.on('drain', () => this.#controller?.resume());
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#response.destroyed) controller.abort(new ClientGone());
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    statusMessage?: string,
  ): void {
    // Informational responses concern this hop alone.
    if (status < 200) return;
    const raw = ((controller.rawHeaders ?? []) as Buffer[]).map((part) => part.toString('latin1'));
    this.#endWithUnfinishedRequest();
    this.#response.writeHead(status, statusMessage, responseHeaders(raw));
    // The head goes out with the first piece of the body if that has come with it, else by itself.
    process.nextTick(() => {
      if (!this.#hasBegunBody && !this.#response.destroyed) this.#response.flushHeaders();
    });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#hasBegunBody = true;
    if (!this.#response.write(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    this.#hasBegunBody = true;
    this.#response.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (error instanceof ClientGone || this.#response.destroyed) return;
    if (!this.#isLastTry && !this.#response.headersSent && isConnectionClosed(error)) {
      this.#isLastTry = true;
      this.#log.debug('request sent again', { url: this.#request.url, error: describeError(error) });
      this.sendAgain();
      return;
    }
    this.#fail(error);
  }

  refuse(thrown: unknown): void {
    this.#log.info('request refused', { url: this.#request.url, error: describeError(thrown) });
    this.#answerPage(400);
  }

  #fail(error: Error): void {
    this.#log.err('backend failed', {
      host: this.#request.headers.host,
      url: this.#request.url,
      error: describeError(error),
    });
    if (this.#response.headersSent) {
      this.#response.destroy();
      return;
    }
    this.#answerPage(statusOf(error));
  }

  #answerPage(status: ErrorStatus): void {
    // The engine lets go of a body only where it has begun to send it.
    this.#body?.destroy();
    this.#endWithUnfinishedRequest();
    sendPage(this.#response, errorPage(status));
  }

  /** An early response: the rest of the request may never come, so nothing else can follow on this connection. */
  #endWithUnfinishedRequest(): void {
    if (this.#request.complete) return;
    this.#response.shouldKeepAlive = false;
    lingerOnClose(this.#request.socket);
  }
}

/** The client has closed its connection: nobody to answer. */
class ClientGone extends Error {}

function statusOf(error: Error): ErrorStatus {
  const isTimeout =
    error instanceof errors.ConnectTimeoutError ||
    error instanceof errors.HeadersTimeoutError ||
    error instanceof errors.BodyTimeoutError;
  return isTimeout ? 504 : 502;
}

/** Whether the backend has closed a connection that had been made, without an answer. */
function isConnectionClosed(error: Error & { code?: unknown }): boolean {
  return error instanceof errors.SocketError || error.code === 'ECONNRESET' || error.code === 'EPIPE';
}

/** Whether a request says that it has a body. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

/** Answers with a page of ours. */
export function sendPage(response: ServerResponse, page: Page, headers: Record<string, string> = {}): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(page.status, {
    'Content-Type': page.contentType,
    'Content-Length': Buffer.byteLength(page.body),
    ...headers,
  });
  response.end(page.body);
}
