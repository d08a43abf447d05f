/**
 * What answers a decrypted connection: a backend of its own where its name has a TCP route; else HTTP/1.1 or HTTP/2, by what
 * ALPN came to, and one handler for the requests of both.
 */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { parseHtpasswd } from '../admin/htpasswd.js';
import { AdminRouter, type AdminActions } from '../admin/routes.js';
import type { WorkerSettings } from '../bus/messages.js';
import type { Logger } from '../log.js';
import { openRoutes, type OpenRoutes } from '../proxy/open-routes.js';
import { ClientConnection } from '../proxy/client-connection.js';
import { Handler } from '../proxy/handler.js';
import { Http1Server } from '../proxy/http1-server.js';
import { Http2Server } from '../proxy/http2-server.js';
import type { RequestContext } from '../proxy/request-context.js';
import { TcpFrontend, tcpAlpn } from '../proxy/tcp.js';
import type { ServerName } from '../domain/server-name.js';
import type { ConnectionInfo } from '../tls/connection-info.js';

export interface FrontendParts {
  readonly actions: AdminActions;
  readonly log: Logger;
  /** How the information page calls this worker. */
  readonly workerName: string;
}

const HTTP_PROTOCOLS = ['h2', 'http/1.1'];

/** What a reload replaces. Requests under way end as they began. */
interface Current {
  readonly tcp: TcpFrontend;
  readonly handler: Handler;
  readonly routes: OpenRoutes | undefined;
}

export class Frontend {
  readonly #parts: FrontendParts;
  readonly #http1: Http1Server;
  readonly #http2: Http2Server;
  #current: Current;

  constructor(parts: FrontendParts, settings: WorkerSettings) {
    this.#parts = parts;
    this.#current = this.#build(settings);
    const handle = (context: RequestContext): void => this.#current.handler.handle(context);
    this.#http1 = new Http1Server(settings.limits, handle);
    this.#http2 = new Http2Server(settings.limits, handle);
  }

  /** The protocols that a connection may speak, best first. */
  alpnFor(name: ServerName | undefined, offered: readonly string[]): readonly string[] {
    return this.#current.tcp.takes(name) ? tcpAlpn(offered) : HTTP_PROTOCOLS;
  }

  /** Takes a connection over after its handshake. `raw` carries it. */
  accept(socket: TLSSocket, info: ConnectionInfo, raw: Socket): void {
    if (this.#current.tcp.accept({ socket, info, raw })) return;
    const connection = new ClientConnection(socket, info, raw);
    if (info.alpn === 'h2') this.#http2.accept(connection);
    else this.#http1.accept(connection);
  }

  /** New requests are answered with the new settings. */
  configure(settings: WorkerSettings): void {
    const { routes } = this.#current;
    this.#current = this.#build(settings);
    this.#http1.configure(settings.limits);
    this.#http2.configure(settings.limits);
    void routes?.close();
  }

  /** From now on a connection ends with what is under way. */
  drain(): void {
    this.#http1.drain();
    this.#http2.drain();
  }

  #build(settings: WorkerSettings): Current {
    const { log, actions, workerName } = this.#parts;
    const { admin, unknownName, headers, limits } = settings;
    const routes = settings.routes.length === 0 ? undefined : openRoutes(settings.routes, limits, log);
    const handler = new Handler({
      admin: new AdminRouter({
        prefix: admin.prefix,
        hosts: admin.hosts,
        ...(admin.htpasswd !== undefined && { authenticator: parseHtpasswd(admin.htpasswd) }),
        actions,
        config: settings,
      }),
      ...(routes && { routes }),
      unknownName,
      headers,
      limits,
      log,
      workerName,
    });
    return { tcp: new TcpFrontend(settings, log), handler, routes };
  }
}
