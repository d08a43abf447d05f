/**
 * HTTP/1.1 to clients, on connections whose handshake is done.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { LimitSettings } from '../config/settings.js';
import { bareResponse } from './bare-response.js';
import type { ClientConnection } from './client-connection.js';
import { answerAndClose, answerClientError } from './client-error.js';
import { announcesBody, Http1ClientSide } from './client-side.js';
import { errorPage } from './pages.js';
import type { RequestContext } from './request-context.js';
import { MAX_FIELDS } from './headers.js';
import { newRequestId } from './request-id.js';
import { passableProtocol } from './upgrade.js';

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

export class Http1Server {
  readonly #server: Server;
  readonly #handle: (context: RequestContext) => void;
  readonly #onRequest: (context: RequestContext) => void;
  readonly #connections = new WeakMap<Socket, ClientConnection>();
  /** Connections that have asked nothing yet. Browsers open some to have them ready. */
  readonly #unused = new Set<Socket>();
  readonly #underWay = new Set<ServerResponse>();
  /** Connections that end with the response that is under way: what comes behind its request is none of ours. */
  readonly #ending = new WeakSet<Socket>();
  #draining = false;

  /** @param onRequest told of each request, also of those that are refused here, before anything is answered. */
  constructor(
    limits: LimitSettings,
    handle: (context: RequestContext) => void,
    onRequest: (context: RequestContext) => void = () => undefined,
  ) {
    this.#handle = handle;
    this.#onRequest = onRequest;
    this.#server = createServer(
      { ...SERVER_OPTIONS, maxHeaderSize: limits.maxHeaderBytes, headersTimeout: limits.headerTimeoutMs },
      (request, response) => this.#answer(request, response, false),
    );
    this.configure(limits);
    // Their bytes are limited. Node would leave out what is above a number, unheard.
    this.#server.maxHeadersCount = 0;
    this.#server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) =>
      this.#answer(request, response, true),
    );
    this.#server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.#answerUpgrade(request, socket, head),
    );
    this.#server.on('connect', (_request: IncomingMessage, socket: Duplex) =>
      answerAndClose(socket, 405, ['Allow: GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS']),
    );
    this.#server.on('clientError', answerClientError);
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
  accept(connection: ClientConnection): void {
    const { socket } = connection;
    this.#connections.set(socket, connection);
    this.#unused.add(socket);
    socket.once('close', () => this.#unused.delete(socket));
    this.#server.emit('connection', socket);
  }

  /** From now on a connection ends with the response that is under way. */
  drain(): void {
    this.#draining = true;
    this.#server.close();
    this.#server.closeIdleConnections();
    // For Node a connection is idle after its first request only.
    for (const socket of this.#unused) if (socket.bytesRead === 0) socket.destroy();
    for (const response of this.#underWay) if (!response.headersSent) response.shouldKeepAlive = false;
  }

  #answer(request: IncomingMessage, response: ServerResponse, awaitsContinue: boolean): void {
    const connection = this.#connections.get(request.socket);
    if (connection === undefined) throw new TypeError('a request on a connection that was not accepted');
    this.#unused.delete(request.socket);
    if (this.#ending.has(request.socket)) return;
    if (this.#draining) {
      response.shouldKeepAlive = false;
    } else {
      this.#underWay.add(response);
      // A response that was begun before the drain leaves an idle connection behind: nobody else would close it.
      response.once('close', () => {
        this.#underWay.delete(response);
        if (this.#draining) setImmediate(() => this.#server.closeIdleConnections());
      });
    }
    const context = contextOf(request, response, connection, awaitsContinue);
    this.#onRequest(context);
    const problem = headProblem(request);
    if (problem === undefined) this.#handle(context);
    else context.client.refuse(problem);
    if (!response.shouldKeepAlive) this.#ending.add(request.socket);
  }

  /** Node has let go of the connection: nothing else can follow on it. */
  #answerUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const connection = this.#connections.get(request.socket);
    // A request with a body is given another stream by newer versions of Node.
    const response = connection?.socket === socket ? bareResponse(request, connection.socket) : undefined;
    if (connection === undefined || response === undefined) {
      socket.destroy();
      return;
    }
    socket.on('error', () => undefined);
    this.#unused.delete(connection.socket);
    const context = contextOf(request, response, connection, false);
    this.#onRequest(context);
    const protocol = passableProtocol(request.headers.upgrade);
    if (announcesBody(request)) {
      // Where its body ends is no longer Node's to find out.
      context.client.refuse(501);
    } else if (protocol === undefined || request.httpVersion === '1.0') {
      this.#handle(context);
    } else {
      this.#handle({ ...context, upgrade: { protocol, socket: connection.socket, response, head } });
    }
  }
}

function contextOf(
  request: IncomingMessage,
  response: ServerResponse,
  connection: ClientConnection,
  awaitsContinue: boolean,
): RequestContext {
  const id = newRequestId();
  const { rawHeaders, headers, method = 'GET', url = '/', httpVersion } = request;
  const hosts = rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === 'host');
  return {
    id,
    request,
    response,
    client: new Http1ClientSide(request, response, {
      pageFor: (status) => errorPage(status, { id, accept: headers.accept }),
      awaitsContinue,
    }),
    connection,
    method,
    url,
    host: hosts.length === 1 ? hosts[0] : undefined,
    headers: rawHeaders,
    httpVersion,
    hasBody: announcesBody(request),
    startedAtMs: performance.now(),
  };
}

/**
 * What Node's parser lets pass and we do not: a coding that would be lost on the way, for we take only chunks apart, chunks in
 * a version that has none (RFC 9112 §6.1), and more fields than a backend may look at.
 */
function headProblem({ headers, rawHeaders, httpVersion }: IncomingMessage): 400 | 431 | 501 | undefined {
  if (rawHeaders.length > 2 * MAX_FIELDS) return 431;
  const coding = headers['transfer-encoding'];
  if (coding === undefined) return undefined;
  if (httpVersion === '1.0') return 400;
  return coding.trim().toLowerCase() === 'chunked' ? undefined : 501;
}
