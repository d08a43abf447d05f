/**
 * HTTP/1.1 to clients, on connections whose handshake is done.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { LimitSettings } from '../../config/settings.js';
import { bareResponse } from './bare-response.js';
import type { ClientConnection } from './client-connection.js';
import { answerAndClose, answerClientError, type Refusal } from './client-error.js';
import { announcesBody, Http1ResponseWriter } from './http1-response-writer.js';
import type { ErrorStatus } from './pages.js';
import type { RequestObserver, RequestContext } from './request-context.js';
import { MAX_FIELDS } from '../headers/headers.js';
import { asksForProtocol, Turns } from './http1-turns.js';
import { newRequestId } from './request-id.js';
import { passableProtocol } from '../headers/upgrade-field.js';

/**
 * No limit on how long a whole request takes (Node's is 300 s), or long uploads would be cut: heads have a limit of their
 * own, and a body that stands still is given up. What is wrong with `Host` is answered by the handler, with a page.
 */
const SERVER_OPTIONS = {
  requestTimeout: 0,
  requireHostHeader: false,
  // How often slow heads are looked for: Node's 30 s would make any shorter limit as long.
  connectionsCheckingInterval: 1_000,
} as const;

/** The property of a socket that holds its connection. (All listeners are shared: none is made for a connection or a request.) */
const CONNECTION = Symbol('connection');

interface HasConnection {
  [CONNECTION]?: Http1Connection;
}

interface Http1Connection {
  readonly client: ClientConnection;
  readonly server: Http1Server;
  /** It has asked nothing yet. Browsers open some connections to have them ready. */
  isUnused: boolean;
  /** Whose turn it is of its requests. */
  readonly turns: Turns;
}

function connectionOf(socket: Socket | HasConnection): Http1Connection {
  const connection = (socket as HasConnection)[CONNECTION];
  if (connection === undefined) throw new TypeError('a request on a connection that was not accepted');
  return connection;
}

function onSocketClose(this: Socket): void {
  const connection = connectionOf(this);
  connection.server.forget(connection);
}

function onResponseClose(this: ServerResponse): void {
  const { server, turns } = connectionOf(this.req.socket);
  turns.advance();
  server.tidy();
}

/** Is told of each request, and of what was refused unread. */
export interface Http1Observer extends RequestObserver {
  /** What came on a connection was no request, or a CONNECT; it has been answered. */
  noteRefusal(connection: ClientConnection, refusal: Refusal): void;
}

export class Http1Server {
  readonly #server: Server;
  readonly #handle: (context: RequestContext) => void;
  readonly #observer: Http1Observer;
  readonly #connections = new Set<Http1Connection>();
  #draining: 'no' | 'idle connections may ask once more' | 'idle connections are closed' = 'no';
  #graceTimer: NodeJS.Timeout | undefined;

  constructor(limits: LimitSettings, handle: (context: RequestContext) => void, observer: Http1Observer) {
    this.#handle = handle;
    this.#observer = observer;
    this.#server = createServer(
      { ...SERVER_OPTIONS, maxHeaderSize: limits.maxHeaderBytes, headersTimeout: limits.headerTimeoutMs },
      (request, response) => this.#answer(request, response, false),
    );
    this.configure(limits);
    // No limit by number, since their bytes are limited: above it Node would drop fields silently.
    this.#server.maxHeadersCount = 0;
    this.#server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) =>
      this.#answer(request, response, true),
    );
    this.#server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) =>
      this.#answer(request, response, false, 417),
    );
    this.#server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.#answerUpgrade(request, socket, head),
    );
    this.#server.on('connect', (request: IncomingMessage, socket: Duplex) => {
      const refusal = answerAndClose(socket, 405, ['Allow: GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS']);
      this.#observer.noteRefusal(connectionOf(request.socket).client, refusal);
    });
    this.#server.on('clientError', (error, socket) => {
      const { client, turns } = connectionOf(socket as HasConnection);
      if (turns.defer(error)) return;
      const refusal = answerClientError(error, socket);
      if (refusal !== undefined) this.#observer.noteRefusal(client, refusal);
    });
    // It never listens itself; this event starts its supervision of slow and idle connections.
    this.#server.emit('listening');
  }

  /** New limits, for new connections. */
  configure(limits: LimitSettings): void {
    // Missing in Node's types.
    (this.#server as { maxHeaderSize?: number }).maxHeaderSize = limits.maxHeaderBytes;
    this.#server.headersTimeout = limits.headerTimeoutMs;
    this.#server.keepAliveTimeout = limits.idleTimeoutMs;
  }

  /** Takes a connection over. */
  accept(client: ClientConnection): void {
    const { socket } = client;
    // Bytes that came behind a PROXY header and were put back.
    const early = readAll(socket);
    // Node would write a head as UTF-8 where the head goes out before its body.
    socket.setDefaultEncoding('latin1');
    this.#server.emit('connection', socket);
    const turns = new Turns(socket);
    const connection: Http1Connection = { client, server: this, isUnused: true, turns };
    (socket as HasConnection)[CONNECTION] = connection;
    this.#connections.add(connection);
    socket.on('close', onSocketClose);
    if (early.length > 0) turns.begin(early);
  }

  /**
   * From now on a connection ends with the response that is under way. An idle one may ask once more: its next request may
   * be on its way already, and would be lost with the connection.
   *
   * @param graceMs how long it may. A later call may shorten that.
   */
  drain(graceMs: number): void {
    if (this.#draining === 'no') {
      this.#draining = 'idle connections may ask once more';
      for (const { turns } of this.#connections) {
        if (turns.current?.headersSent === false) turns.current.shouldKeepAlive = false;
      }
    }
    clearTimeout(this.#graceTimer);
    this.#graceTimer = setTimeout(() => {
      this.#draining = 'idle connections are closed';
      this.#closeIdle();
    }, graceMs).unref();
  }

  /** A connection has closed. */
  forget(connection: Http1Connection): void {
    this.#connections.delete(connection);
  }

  /** A response is over. One that was begun before the drain leaves an idle connection behind. */
  tidy(): void {
    if (this.#draining === 'idle connections are closed') setImmediate(() => this.#closeIdle());
  }

  #closeIdle(): void {
    this.#server.closeIdleConnections();
    // Node does not count a connection without a request as idle.
    for (const { isUnused, client } of this.#connections) {
      if (isUnused && client.socket.bytesRead === 0) client.socket.destroy();
    }
  }

  #answer(
    request: IncomingMessage,
    response: ServerResponse,
    awaitsContinue: boolean,
    problem: ErrorStatus | undefined = headProblem(request),
  ): void {
    const connection = connectionOf(request.socket);
    connection.isUnused = false;
    connection.turns.current = response;
    response.on('close', onResponseClose);
    if (this.#draining !== 'no') response.shouldKeepAlive = false;
    const context = contextOf(request, response, connection.client, awaitsContinue);
    this.#observer.follow(context);
    if (problem === undefined) this.#handle(context);
    else context.client.refuse(problem);
  }

  /** Answers an upgrade. Node no longer serves its connection: no other request can follow on it. */
  #answerUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const connection = connectionOf(request.socket);
    const { client, turns } = connection;
    const response = bareResponse(request, client.socket);
    socket.on('error', () => undefined);
    connection.isUnused = false;
    const context = contextOf(request, response, client, false);
    this.#observer.follow(context);
    const early = Buffer.concat([head, ...turns.takeHeld()]);
    const protocol = passableProtocol(request.headers.upgrade) ?? '';
    // Extend the same object: its observer sees what the handler sets on it.
    this.#handle(
      Object.assign(context, { upgrade: { protocol, socket: client.socket, response, head: early } }),
    );
  }
}

/** Takes what is in the buffer of a socket that nobody reads. */
function readAll(socket: Socket): Buffer[] {
  const pieces: Buffer[] = [];
  while (socket.readableLength > 0) {
    const piece = socket.read() as Buffer | null;
    if (piece === null) break;
    pieces.push(piece);
  }
  return pieces;
}

function contextOf(
  request: IncomingMessage,
  response: ServerResponse,
  connection: ClientConnection,
  awaitsContinue: boolean,
): RequestContext {
  const id = newRequestId();
  const { rawHeaders, method = 'GET', url = '/', httpVersion } = request;
  return {
    id,
    request,
    response,
    client: new Http1ResponseWriter({ request, response, id, awaitsContinue }),
    connection,
    method,
    url,
    host: onlyHost(rawHeaders),
    headers: rawHeaders,
    httpVersion,
    hasBody: announcesBody(request),
    startedAtMs: performance.now(),
  };
}

/** The value of the one `Host` field; undefined where there is none, or there are several. */
function onlyHost(raw: readonly string[]): string | undefined {
  let host: string | undefined;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? '';
    if (name.length !== 4 || name.toLowerCase() !== 'host') continue;
    if (host !== undefined) return undefined;
    host = raw[i + 1];
  }
  return host;
}

/**
 * What Node's parser lets pass and we do not: another version, a body before another protocol, a coding that would be lost on the way, for we take only chunks apart, chunks in
 * a version that has none (RFC 9112 §6.1), and more fields than a backend may look at.
 */
function headProblem(request: IncomingMessage): 400 | 431 | 501 | undefined {
  const { headers, rawHeaders, httpVersion } = request;
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return 400;
  if (rawHeaders.length > 2 * MAX_FIELDS) return 431;
  // An upgrade with a body is not supported.
  if (headers.upgrade !== undefined && asksForProtocol(request) && announcesBody(request)) return 501;
  const coding = headers['transfer-encoding'];
  if (coding === undefined) return undefined;
  if (httpVersion === '1.0') return 400;
  return coding.trim().toLowerCase() === 'chunked' ? undefined : 501;
}
