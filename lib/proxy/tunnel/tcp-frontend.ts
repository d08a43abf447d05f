/**
 * TCP mode: the decrypted bytes of a connection go to a backend as they are, and back.
 *
 * Which backend is decided by the server name of the handshake alone: there is no other name. A client without one goes to
 * the default route. A client without a certificate of its own (`--unknown-name 421` or `reject`) is closed: there is no
 * language to tell it why.
 *
 * Of the backends of a route the one with the fewest connections is taken; one that cannot be connected is left for the
 * next (`upstream/attempts.ts`). What happens after that is between client and backend: once the backend has said something, it says
 * nothing of its health (`first-word.ts`).
 */
import { connect, type Socket } from 'node:net';
import type { WorkerSettings } from '../../config/worker-settings.js';
import { addressText, connectOptions } from '../../domain/address.js';
import { describeError } from '../../domain/errors.js';
import type { BackendFacts } from '../../domain/backend-status.js';
import type { RouteSettings } from '../../config/settings.js';
import type { ServerName } from '../../domain/server-name.js';
import type { Logger } from '../../log/logger.js';
import type { TlsClientSocket } from '../../net/client-socket.js';
import type { ConnectionInfo } from '../../net/connection-info.js';
import type { Destination, Names } from '../../net/names/names.js';
import type { Transport } from '../../net/raw-connection.js';
import { buildProxyHeader } from '../../net/proxy-protocol-writer.js';
import { SocketTlsFacts, type TlsFacts } from '../downstream/tls-facts.js';
import type { TcpEntry } from './tcp-record.js';
import { Attempts, watchedBalancer, type AttemptedRequest, type Step } from '../upstream/attempts.js';
import type { Balancer, Lease } from '../upstream/balancer.js';
import { judgeName } from '../downstream/name-policy.js';
import { Router, type Route } from '../../domain/router.js';
import type { BackendFailure } from '../upstream/upstream.js';
import { FirstWord } from './first-word.js';
import { resetSocket, type SpliceBytes, type Splices } from './splice.js';

export type TcpSettings = Pick<WorkerSettings, 'routes' | 'limits' | 'sendProxyProtocol' | 'unknownName'>;

interface TcpBackend {
  readonly name: string;
  readonly destination: Destination;
}

/** Called once for each connection, when it has ended. */
export type OnTcpEnd = (connection: Omit<TcpEntry, 'timeMs'>) => void;

/** A client's connection after its handshake. */
export interface TcpClient {
  readonly socket: TlsClientSocket;
  readonly info: ConnectionInfo;
  /** What carries it. */
  readonly raw: Transport;
}

export interface TcpFrontendParts {
  readonly log: Logger;
  readonly names: Names;
  readonly splices: Splices;
  /** Called when a connection begins: of what is known of its TLS, that is to be read which `onEnd` needs. */
  readonly onBegin?: (tls: TlsFacts) => void;
  readonly onEnd: OnTcpEnd;
  /** See `Attempts`. */
  readonly onBackendFailure?: ((kind: BackendFailure) => void) | undefined;
}

/** The TCP routes of the settings. */
export class TcpFrontend {
  readonly #settings: TcpSettings;
  readonly #parts: TcpFrontendParts;
  /** Null: an HTTP route, which takes precedence over the default route. Undefined: there are no TCP routes. */
  readonly #router: Router<Balancer<TcpBackend> | null> | undefined;
  readonly #tcpRoutes: Route<Balancer<TcpBackend>>[] = [];

  constructor(settings: TcpSettings, parts: TcpFrontendParts) {
    this.#settings = settings;
    this.#parts = parts;
    const { routes } = settings;
    if (!routes.some(({ backends }) => backends[0].kind === 'tcp')) return;
    this.#router = new Router(
      routes.map((route) => ({
        ...(route.pattern !== undefined && { pattern: route.pattern }),
        target: route.backends[0].kind === 'tcp' ? this.#open(route) : null,
      })),
    );
  }

  /** How many backends are left out. */
  get leftOut(): number {
    return this.#tcpRoutes.reduce((sum, { target: { leftOut } }) => sum + leftOut, 0);
  }

  /** Each backend by itself. A connection to it is in use for as long as there is one. */
  facts(): BackendFacts[] {
    return this.#tcpRoutes.flatMap(({ pattern, target: balancer }) =>
      balancer.health().map(({ target: { name }, underWay, trouble }) => ({
        ...(pattern !== undefined && { pattern }),
        name,
        busy: underWay,
        idle: 0,
        ...(trouble && { trouble }),
      })),
    );
  }

  /** Whether the connections of a server name are spliced. */
  takes(name: ServerName | undefined): boolean {
    return this.#balancer(name) !== undefined;
  }

  /** Takes a connection over. @returns false when its name has no TCP route. */
  accept(client: TcpClient): boolean {
    const { info } = client;
    const balancer = this.#balancer(info.serverName);
    if (balancer === undefined) return false;
    const connection = new TcpConnection(client, { ...this.#parts, balancer, settings: this.#settings });
    if (judgeName(info, undefined, this.#settings.unknownName, { covers: () => true }) === 'serve')
      connection.open();
    else connection.refuse();
    return true;
  }

  #balancer(name: ServerName | undefined): Balancer<TcpBackend> | undefined {
    return this.#router?.routeOf(name) ?? undefined;
  }

  #open({ pattern, backends }: RouteSettings): Balancer<TcpBackend> {
    const targets = backends.flatMap((backend) => {
      if (backend.kind !== 'tcp') return [];
      const { address } = backend;
      return [{ name: `tcp://${addressText(address)}`, destination: this.#parts.names.destination(address) }];
    });
    const balancer = watchedBalancer(targets, this.#parts.log);
    this.#tcpRoutes.push({ ...(pattern !== undefined && { pattern }), target: balancer });
    return balancer;
  }
}

/**
 * The protocol that a spliced connection is given by ALPN: the client's first one, since the backend may speak any. `h2`
 * only where nothing else is offered: browsers and curl put it before `http/1.1`, and most servers behind a TCP route, which
 * never see the ALPN, speak that.
 *
 * @returns undefined where none is offered.
 */
export function tcpAlpn(offered: readonly string[]): string | undefined {
  const real = offered.filter((protocol) => !isGrease(protocol));
  return real.find((protocol) => protocol !== 'h2') ?? real[0];
}

/** RFC 8701: values that mean nothing, and that a server must not choose. */
function isGrease(protocol: string): boolean {
  return /^([\x0a-\xfa])\1$/.test(protocol) && (protocol.charCodeAt(0) & 0x0f) === 0x0a;
}

interface TcpParts extends TcpFrontendParts {
  readonly balancer: Balancer<TcpBackend>;
  readonly settings: TcpSettings;
}

/** For `Attempts`: what a client sends is not read before its backend is connected. */
const NOTHING_SENT: AttemptedRequest = {
  method: '',
  hasBody: true,
  isBodyRead: false,
  isUploading: false,
  hasResponse: false,
};

class TcpConnection {
  readonly #client: TcpClient;
  readonly #parts: TcpParts;
  readonly #attempts: Attempts<TcpBackend>;
  readonly #startedMs = performance.now();
  readonly #tls: TlsFacts;

  constructor(client: TcpClient, parts: TcpParts) {
    this.#client = client;
    this.#parts = parts;
    this.#tls = new SocketTlsFacts(client.socket);
    parts.onBegin?.(this.#tls);
    const { info } = client;
    this.#attempts = new Attempts({
      balancer: parts.balancer,
      log: parts.log,
      what: 'connection',
      restartWaitMs: parts.settings.limits.backendRestartWaitMs,
      fields: { name: info.serverName, client: info.client.address },
      onFailure: parts.onBackendFailure,
    });
    client.socket.allowHalfOpen = true;
  }

  /** Closes a client that is not served. */
  refuse(): void {
    const { info, socket } = this.#client;
    this.#parts.log.info('connection refused: no certificate for its name', {
      name: info.serverName,
      client: info.client.address,
    });
    socket.destroy();
    this.#end('no certificate');
  }

  /** Connects the backend whose turn it is. */
  open(): void {
    this.#follow(this.#attempts.first());
  }

  #follow(step: Step<TcpBackend>): void {
    if (step.kind === 'end') {
      this.#client.socket.destroy();
      this.#end('no backend');
      return;
    }
    const { socket } = this.#client;
    const onGone = (): void => {
      this.#attempts.stopWaiting();
      step.lease.release('aborted');
      this.#end('client gone');
    };
    socket.once('close', onGone);
    this.#attempts.proceed(step, (lease) => {
      socket.off('close', onGone);
      this.#connect(lease);
    });
  }

  #connect(lease: Lease<TcpBackend>): void {
    const { socket } = this.#client;
    const { settings } = this.#parts;
    const backend = connect({
      ...connectOptions(lease.target.destination),
      allowHalfOpen: true,
      noDelay: true,
    });
    const { backendConnectTimeoutMs } = settings.limits;
    const timer = setTimeout(
      () => backend.destroy(new Error(`no connection after ${backendConnectTimeoutMs} ms`)),
      backendConnectTimeoutMs,
    );
    const settle = (): void => {
      clearTimeout(timer);
      socket.off('close', onGone);
      backend.off('error', onError);
    };
    const onGone = (): void => {
      settle();
      backend.on('error', () => undefined).destroy();
      lease.release('aborted');
      this.#end('client gone');
    };
    const onError = (error: Error): void => {
      settle();
      const message = describeError(error);
      this.#follow(
        this.#attempts.next(lease, { kind: 'connect', sent: false, message, cause: error }, NOTHING_SENT),
      );
    };
    socket.once('close', onGone);
    backend.once('error', onError);
    backend.once('connect', () => {
      // The client may have gone in the same turn: its `close` comes later.
      if (socket.destroyed) {
        onGone();
        return;
      }
      settle();
      this.#splice(lease, backend);
    });
  }

  #splice(lease: Lease<TcpBackend>, backend: Socket): void {
    const { socket, info, raw } = this.#client;
    const { balancer, onBackendFailure, settings } = this.#parts;
    const { sendProxyProtocol, limits } = settings;
    const firstWord = new FirstWord({
      lease,
      isOnly: balancer.targets.length === 1,
      onFailure: () => onBackendFailure?.('broken'),
    });
    if (sendProxyProtocol !== undefined) {
      const { client, local, alpn, serverName } = info;
      const tls = { version: socket.getProtocol() ?? '', cipher: socket.getCipher()?.name ?? '' };
      backend.write(
        buildProxyHeader(sendProxyProtocol, {
          client,
          local,
          tls,
          ...(alpn !== undefined && { alpn }),
          ...(serverName !== undefined && { serverName }),
        }),
      );
    }
    this.#parts.splices.splice({
      client: socket,
      backend,
      idleTimeoutMs: limits.tcpIdleTimeoutMs,
      resetClient: () => resetSocket(raw),
      onFirstByte: () => firstWord.said(),
      onBackendGone: () => firstWord.gone(),
      onEnd: (how, passed) => {
        firstWord.stop();
        lease.release('aborted');
        this.#end(how, lease.target.name, passed);
      },
    });
  }

  #end(end: TcpEntry['end'], backend?: string, passed?: SpliceBytes): void {
    const { info } = this.#client;
    const { log, onEnd } = this.#parts;
    const durationMs = performance.now() - this.#startedMs;
    onEnd({
      info,
      tls: this.#tls,
      backend,
      end,
      bytesSent: passed?.fromBackend ?? 0,
      bytesReceived: passed?.fromClient ?? 0,
      durationMs,
    });
    if (backend === undefined || !log.enabled('debug')) return;
    log.debug('spliced connection closed', {
      name: info.serverName,
      backend,
      how: end,
      ms: Math.round(durationMs),
    });
  }
}
