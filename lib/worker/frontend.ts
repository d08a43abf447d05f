/**
 * What answers a decrypted connection: the backend of a TCP route where its name has one; else the HTTP/1.1 or the HTTP/2 server,
 * as ALPN has chosen, and one handler for the requests of both.
 */
import { Socket } from 'node:net';
import { Authenticator } from '../admin/authenticator.js';
import { FailedLogins } from '../admin/failed-logins.js';
import { HashingThread } from '../admin/hashing-thread.js';
import { AdminRouter, type AdminActions } from '../admin/routes.js';
import type { WorkerSettings } from '../config/worker-settings.js';
import type { Logger } from '../log/logger.js';
import { AccessLog } from '../proxy/access-log/access-log.js';
import type { ChallengeDesk } from '../proxy/challenge-forwarding.js';
import { openRoutes, type BackendCounts, type OpenRoutes } from '../proxy/open-routes.js';
import { ClientConnection } from '../proxy/downstream/client-connection.js';
import { Handler } from '../proxy/handler.js';
import { PlainHttpHandler } from '../proxy/plain-http.js';
import { Http1Server } from '../proxy/downstream/http1/server.js';
import { NodeHttp2Server } from '../proxy/downstream/http2-node/server.js';
import type { OnCutOff } from '../proxy/downstream/on-cut-off.js';
import { Http2Server } from '../proxy/downstream/http2/server.js';
import type { RequestContext } from '../proxy/downstream/request-context.js';
import { publishing } from './request-channel.js';
import type { TrafficMetrics } from './traffic-metrics.js';
import { Splices } from '../proxy/tunnel/splice.js';
import { TcpFrontend, tcpAlpn } from '../proxy/tunnel/tcp-frontend.js';
import type { BackendFacts } from '../domain/backend-status.js';
import type { ServerName } from '../domain/server-name.js';
import { protocolList } from '../tls/alpn.js';
import type { TlsClientSocket } from '../net/client-socket.js';
import type { ConnectionInfo } from '../net/connection-info.js';
import type { Names } from '../net/names/names.js';
import type { Transport } from '../net/raw-connection.js';

export interface FrontendParts {
  readonly actions: AdminActions;
  readonly challengeDesk: ChallengeDesk;
  readonly log: Logger;
  /** Outlives reloads, like what is known of each name. */
  readonly names: Names;
  /** Counts requests, connections of TCP mode and failures of backends. */
  readonly metrics?: TrafficMetrics;
  /** How the information page calls this worker. */
  readonly workerName: string;
  /** Milliseconds of a clock by which clients' budgets fill again. @default performance.now */
  readonly now?: () => number;
}

/** A client that speaks HTTP/1.0 only offers just that: `curl --http1.0`. */
const HTTP_PROTOCOLS = protocolList(['h2', 'http/1.1', 'http/1.0']);

/** What a reload replaces. Requests under way end as they began. */
interface Current {
  readonly tcp: TcpFrontend;
  readonly handler: Handler;
  readonly plainHttp: PlainHttpHandler;
  readonly routes: OpenRoutes | undefined;
}

export class Frontend {
  /** Upgraded connections and those of TCP mode. */
  readonly splices = new Splices();
  readonly #parts: FrontendParts;
  readonly #http1: Http1Server;
  readonly #http2: Readonly<Record<WorkerSettings['http2Engine'], NodeHttp2Server | Http2Server>>;
  /** Of connections that come from now on. */
  #http2Engine: WorkerSettings['http2Engine'];
  /** For plain HTTP. */
  readonly #plainHttp: Http1Server;
  readonly #accessLog: AccessLog;
  /** Kept across reloads: a reload must not end the wait of a guesser. */
  readonly #authenticator: Authenticator;
  #current: Current;

  constructor(parts: FrontendParts, settings: WorkerSettings) {
    this.#parts = parts;
    const { log } = parts;
    this.#authenticator = new Authenticator(
      {
        log,
        failed: new FailedLogins({ log, now: () => performance.now() }),
        thread: new HashingThread({ log }),
      },
      settings.admin.htpasswd ?? '',
    );
    this.#current = this.#build(settings);
    this.#accessLog = new AccessLog({ log: parts.log }, settings.accessLog);
    const handle = (context: RequestContext): void => this.#current.handler.handle(context);
    const onPlainHttp = (context: RequestContext): void => this.#current.plainHttp.handle(context);
    const published = publishing(this.#accessLog);
    const observer = parts.metrics?.before(published) ?? published;
    this.#http1 = new Http1Server(settings.limits, handle, observer);
    const onCutOff: OnCutOff = ({ info }, reason, counts) =>
      log.info('HTTP/2 client cut off', { client: info.client.address, reason, ...counts });
    this.#http2 = {
      node: new NodeHttp2Server(settings.limits, handle, observer, onCutOff, parts.now),
      own: new Http2Server(settings.limits, handle, observer, onCutOff, parts.now),
    };
    this.#http2Engine = settings.http2Engine;
    this.#plainHttp = new Http1Server(settings.limits, onPlainHttp, observer);
  }

  /** Connections to backends, and backends that are left out, as the settings are now. */
  get backends(): BackendCounts {
    const { routes, tcp } = this.#current;
    const { busy, idle, leftOut } = routes?.counts ?? { busy: 0, idle: 0, leftOut: 0 };
    return { busy, idle, leftOut: leftOut + tcp.leftOut };
  }

  /** Each backend by itself. */
  backendFacts(): BackendFacts[] {
    const { routes, tcp } = this.#current;
    return [...(routes?.facts() ?? []), ...tcp.facts()];
  }

  /** See `HandshakeOptions`. */
  get needsNodeSocket(): boolean {
    return this.#http2Engine === 'node';
  }

  /** The protocols that a connection may speak, see `HandshakeOptions`. */
  alpnFor(name: ServerName | undefined, offered: readonly string[]): Buffer | undefined {
    if (!this.#current.tcp.takes(name)) return HTTP_PROTOCOLS;
    const chosen = tcpAlpn(offered);
    return chosen === undefined ? undefined : protocolList([chosen]);
  }

  /** Takes a connection over after its handshake. `raw` carries it. */
  accept(socket: TlsClientSocket, info: ConnectionInfo, raw: Transport): void {
    if (this.#current.tcp.accept({ socket, info, raw })) return;
    const connection = new ClientConnection(socket, info, raw);
    // A connection may have begun before the engine was changed, on a socket that Node's engine does not take.
    const engine = socket instanceof Socket ? this.#http2Engine : 'own';
    if (info.alpn === 'h2') this.#http2[engine].accept(connection);
    else this.#http1.accept(connection);
  }

  /** Takes a connection over that has no TLS. */
  acceptPlain(socket: Socket, info: ConnectionInfo): void {
    this.#plainHttp.accept(new ClientConnection(socket, info, socket));
  }

  /** New requests are answered with the new settings. */
  configure(settings: WorkerSettings): void {
    const { routes, plainHttp } = this.#current;
    this.#current = this.#build(settings);
    this.#http1.configure(settings.limits);
    this.#http2.node.configure(settings.limits);
    this.#http2.own.configure(settings.limits);
    this.#http2Engine = settings.http2Engine;
    this.#plainHttp.configure(settings.limits);
    this.#accessLog.configure(settings.accessLog);
    void routes?.close();
    void plainHttp.close();
  }

  /** Opens the access log again: after it was rotated. */
  reopenLogs(): void {
    this.#accessLog.reopen();
  }

  /** Writes what could not be written yet: before an exit. */
  flushLogs(): void {
    this.#accessLog.flush();
  }

  /**
   * From now on a connection ends with what is under way.
   *
   * @param idleGraceMs how long an idle one may ask once more; on HTTP/2 it is told at once.
   */
  drain(idleGraceMs: number): void {
    this.#http1.drain(idleGraceMs);
    this.#http2.node.drain();
    this.#http2.own.drain();
    this.#plainHttp.drain(idleGraceMs);
  }

  #build(settings: WorkerSettings): Current {
    const { log, names, actions, challengeDesk, workerName, metrics } = this.#parts;
    const { admin, unknownName, headers, limits } = settings;
    const routes =
      settings.routes.length === 0 ? undefined : openRoutes(settings.routes, { limits, names, log });
    this.#authenticator.configure(admin.htpasswd ?? '');
    const router = new AdminRouter({
      prefix: admin.prefix,
      hosts: admin.hosts,
      ...(admin.htpasswd !== undefined && { authenticator: this.#authenticator }),
      actions,
      config: settings,
    });
    const handler = new Handler({
      admin: router,
      ...(routes && { routes }),
      unknownName,
      headers,
      limits,
      log,
      workerName,
      splices: this.splices,
      onBackendFailure: metrics?.onBackendFailure,
    });
    const { challenges } = settings;
    const plainHttp = new PlainHttpHandler({
      admin: router,
      challenges,
      desk: challengeDesk,
      limits,
      names,
      log,
    });
    const tcp = new TcpFrontend(settings, {
      log,
      names,
      splices: this.splices,
      onBegin: (tls) => this.#accessLog.followTcp(tls),
      onEnd: (record) => {
        metrics?.onTcpEnd(record.end);
        this.#accessLog.tcp(record);
      },
      onBackendFailure: metrics?.onBackendFailure,
    });
    return { tcp, handler, plainHttp, routes };
  }
}
