/**
 * The HTTP engine: requests of a decrypted connection to one backend, streaming both ways with back-pressure.
 *
 * Errors before the backend's response head become 502 (no connection, or a broken answer) or 504 (out of time); after it
 * the client's connection is cut, which is the only way left to say that the body is not whole. A client that goes away
 * aborts the request to the backend.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { errors, Pool, type Dispatcher } from 'undici';
import { describeError } from '../domain/errors.js';
import type { BackendSettings } from '../config/settings.js';
import type { Logger } from '../log.js';
import { plainAddress, requestHeaders, responseHeaders } from './headers.js';
import { errorPage, type ErrorStatus, type Page } from './pages.js';

/** Idle connections are closed a little before common servers close them (5 s in Node, 75 s in nginx). */
const KEEP_ALIVE_MS = 4_000;
const CONNECT_TIMEOUT_MS = 5_000;
const HEADERS_TIMEOUT_MS = 60_000;
/** Between two pieces of a body. */
const BODY_TIMEOUT_MS = 60_000;

export class HttpProxy {
  readonly #pool: Pool;
  readonly #log: Logger;

  constructor(backend: BackendSettings, log: Logger) {
    this.#log = log;
    this.#pool = new Pool(backend.origin, {
      ...(backend.socketPath === undefined ? {} : { socketPath: backend.socketPath }),
      keepAliveTimeout: KEEP_ALIVE_MS,
      connect: { timeout: CONNECT_TIMEOUT_MS },
      headersTimeout: HEADERS_TIMEOUT_MS,
      bodyTimeout: BODY_TIMEOUT_MS,
    });
  }

  /** Forwards one request. */
  forward(request: IncomingMessage, response: ServerResponse): void {
    const hasBody =
      request.headers['transfer-encoding'] !== undefined ||
      (request.headers['content-length'] ?? '0') !== '0';
    const exchange = new Exchange(request, response, this.#log);
    try {
      this.#pool.dispatch(
        {
          path: request.url ?? '/',
          method: request.method ?? 'GET',
          headers: requestHeaders(request.rawHeaders, {
            clientAddress: plainAddress(request.socket.remoteAddress),
            host: request.headers.host,
          }),
          body: hasBody ? request : null,
        },
        exchange,
      );
    } catch (thrown) {
      // undici refuses some requests at once: a malformed target, a forbidden field.
      exchange.refuse(thrown);
    }
  }

  /** Ends when the requests under way have ended. */
  async close(): Promise<void> {
    await this.#pool.close();
  }
}

/** One request and its response. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #log: Logger;
  #controller: Dispatcher.DispatchController | undefined;

  constructor(request: IncomingMessage, response: ServerResponse, log: Logger) {
    this.#request = request;
    this.#response = response;
    this.#log = log;
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
    // An early response: the rest of the request may never come, so nothing else can follow on this connection.
    if (!this.#request.complete) this.#response.shouldKeepAlive = false;
    this.#response.writeHead(status, statusMessage, responseHeaders(raw));
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#response.write(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    this.#response.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (error instanceof ClientGone) return;
    this.#fail(error);
  }

  refuse(thrown: unknown): void {
    this.#log.info('request refused', { url: this.#request.url, error: describeError(thrown) });
    sendPage(this.#response, errorPage(400));
  }

  #fail(error: Error): void {
    this.#log.err('backend failed', {
      host: this.#request.headers.host,
      url: this.#request.url,
      error: describeError(error),
    });
    if (this.#response.headersSent) this.#response.destroy();
    else sendPage(this.#response, errorPage(statusOf(error)));
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
