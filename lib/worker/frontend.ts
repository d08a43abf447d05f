/**
 * What answers the requests of a decrypted connection: the admin routes, the backend, or the information page.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { TLSSocket } from 'node:tls';
import { AdminRouter, type AdminActions } from '../admin/routes.js';
import { parseHtpasswd } from '../admin/htpasswd.js';
import type { WorkerSettings } from '../bus/messages.js';
import { describeError } from '../domain/errors.js';
import type { Logger } from '../log.js';
import { answerClientError } from '../proxy/client-error.js';
import { destinationOf } from '../proxy/destination.js';
import { hasBody, HttpProxy, sendPage } from '../proxy/http.js';
import { errorPage, informationPage } from '../proxy/pages.js';
import { connectionInfo } from '../tls/listener.js';

/**
 * No limit on how long a whole request takes (Node's is 300 s), or long uploads would be cut: heads have a limit of their
 * own, and a body that stands still is given up by the proxy. What is wrong with `Host` is answered here, with a page.
 */
const SERVER_OPTIONS = { requestTimeout: 0, requireHostHeader: false } as const;

export interface FrontendParts {
  readonly actions: AdminActions;
  readonly log: Logger;
  /** How the information page calls this worker. */
  readonly workerName: string;
}

/** The parts of a frontend that a reload replaces. */
interface Routes {
  readonly admin: AdminRouter;
  readonly proxy: HttpProxy | undefined;
}

export class Frontend {
  readonly #parts: FrontendParts;
  readonly #server: Server;
  #routes: Routes;
  /** Connections that have asked nothing yet. Browsers open some to have them ready. */
  readonly #unused = new Set<TLSSocket>();
  #draining = false;

  constructor(parts: FrontendParts, settings: WorkerSettings) {
    this.#parts = parts;
    this.#routes = this.#buildRoutes(settings);
    this.#server = createServer(SERVER_OPTIONS, (request, response) => this.#answer(request, response));
    this.#server.on('clientError', answerClientError);
    // It never listens itself; this event starts its supervision of slow and idle connections.
    this.#server.emit('listening');
  }

  /** Takes a connection over after its handshake. */
  accept(socket: TLSSocket): void {
    this.#unused.add(socket);
    socket.once('close', () => this.#unused.delete(socket));
    this.#server.emit('connection', socket);
  }

  /** New requests are answered with the new settings; those under way end as they began. */
  configure(settings: WorkerSettings): void {
    const { proxy } = this.#routes;
    this.#routes = this.#buildRoutes(settings);
    void proxy?.close();
  }

  /** From now on a connection ends with the response that is under way. */
  drain(): void {
    this.#draining = true;
    this.#server.close();
    this.#server.closeIdleConnections();
    // For Node a connection is idle after its first request only.
    for (const socket of this.#unused) if (socket.bytesRead === 0) socket.destroy();
  }

  #buildRoutes({ admin, backend, ...settings }: WorkerSettings): Routes {
    return {
      admin: new AdminRouter({
        prefix: admin.prefix,
        hosts: admin.hosts,
        ...(admin.htpasswd === undefined ? {} : { authenticator: parseHtpasswd(admin.htpasswd) }),
        actions: this.#parts.actions,
        config: settings,
      }),
      proxy: backend === undefined ? undefined : new HttpProxy(backend, this.#parts.log),
    };
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { admin, proxy } = this.#routes;
    if (request.socket instanceof TLSSocket) this.#unused.delete(request.socket);
    if (this.#draining) {
      response.shouldKeepAlive = false;
    } else {
      // A response that was begun before the drain leaves an idle connection behind: nobody else would close it.
      response.once('close', () => {
        if (this.#draining) setImmediate(() => this.#server.closeIdleConnections());
      });
    }
    const { url = '/', httpVersion, rawHeaders, headers } = request;
    const destination = destinationOf({ url, httpVersion, rawHeaders });
    const isOwn = destination === undefined || admin.owns(url, headers.host);
    // Nobody here waits for a request's body: with one, its connection ends.
    if ((isOwn || proxy === undefined) && hasBody(request)) response.shouldKeepAlive = false;
    if (destination === undefined) {
      response.shouldKeepAlive = false;
      sendPage(response, errorPage(400));
    } else if (isOwn) void this.#answerAdmin(admin, request, response);
    else if (proxy !== undefined) proxy.forward(request, response, destination);
    else this.#answerInformation(request, response);
  }

  async #answerAdmin(admin: AdminRouter, request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const { method = 'GET', url = '/', headers } = request;
      const {
        status,
        headers: fields,
        body,
      } = await admin.respond({
        method,
        url,
        host: headers.host,
        authorization: headers.authorization,
      });
      if (response.destroyed) return;
      response.writeHead(status, { ...fields, 'Content-Length': Buffer.byteLength(body) });
      response.end(body);
    } catch (thrown) {
      this.#parts.log.err('admin request failed', { error: describeError(thrown) });
      sendPage(response, errorPage(503));
    }
  }

  #answerInformation(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const info = connectionInfo(socket);
    const tls = socket instanceof TLSSocket ? socket : undefined;
    const certificate = tls?.getX509Certificate();
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      const page = {
        status: 405,
        contentType: 'text/plain; charset=utf-8',
        body: '405 Method Not Allowed\n',
      };
      sendPage(response, page, { Allow: 'GET, HEAD' });
      return;
    }
    const page = informationPage(
      {
        serverName: info?.serverName,
        tier: info?.tier ?? 'unknown',
        subject: certificate?.subject ?? '(empty)',
        issuer: certificate?.issuer ?? 'unknown',
        notAfter: certificate?.validTo ?? 'unknown',
        fingerprint: certificate?.fingerprint256 ?? 'unknown',
        protocol: tls?.getProtocol() ?? 'unknown',
        worker: this.#parts.workerName,
      },
      request.headers.accept,
    );
    sendPage(response, page, { 'Cache-Control': 'no-store' });
  }
}
