/**
 * `--admin-listen`: plain HTTP for administrators, their browsers and Prometheus, in the primary.
 *
 * On a loopback address there is no password: whoever is on the machine may look and expire. A page of a stranger's site may not,
 * though it is in a browser on this machine: its `Host` would be a name that it has pointed here, and only addresses, `localhost` and
 * what `--admin-host` names are answered.
 */
import { createServer, type Server } from 'node:http';
import { readHost } from '../domain/host.js';
import { addressText, connectOptions, isLoopback, type Address } from '../domain/address.js';
import { describeError, environmentError } from '../domain/errors.js';
import type { Logger } from '../log/logger.js';
import { plainAddress } from '../net/connection-info.js';
import { ConnectionLimits } from '../net/connection-limits.js';
import { clientGroup } from '../net/ip-bytes.js';
import { removeStaleSocket } from '../net/stale-socket.js';
import { adminListener, type AdminHttpOptions } from './admin-http.js';

/** Time-outs of requests, milliseconds: they have no bodies. */
const HEAD_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
/** How often Node looks for what is over its time. Its own half minute would be the time-out of who says nothing. */
const LOOK_EVERY_MS = 1_000;
const MAX_CONNECTIONS = 256;
/** Of one address: a health probe gets in whatever another client holds. Streams of events are 32 at most. */
const MAX_CONNECTIONS_PER_CLIENT = 64;

export class AdminListeners {
  readonly #servers: Server[] = [];
  readonly #addresses: Address[] = [];

  /** With the real ports. */
  get addresses(): readonly Address[] {
    return this.#addresses;
  }

  /**
   * Opens an address.
   *
   * @param hosts those that are answered on a loopback address, beside addresses and `localhost`.
   * @param ipv6Only whether a socket on `[::]` leaves IPv4 to another one.
   * @throws ProxyError ERR_ENVIRONMENT: it is in use, or not permitted, or not this machine's.
   */
  async open(
    address: Address,
    http: AdminHttpOptions,
    hosts: () => readonly string[],
    ipv6Only: boolean,
  ): Promise<void> {
    const takesHost = (host: string | undefined): boolean => isOwnHost(host, hosts());
    const server = createServer(
      {
        headersTimeout: HEAD_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        connectionsCheckingInterval: LOOK_EVERY_MS,
      },
      adminListener(isLoopback(address) ? { ...http, takesHost } : http),
    );
    limitConnections(server, http.log);
    if ('socketPath' in address) await removeStaleSocket(address.socketPath);
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) =>
        reject(environmentError(`--admin-listen ${addressText(address)}: ${reasonOf(error)}`, error)),
      );
      // Exclusive: in a cluster Node's primary would share the address with workers.
      server.listen({ ...connectOptions(address), ipv6Only, exclusive: true }, resolve);
    });
    server.on('error', (error) => http.log.err('admin listener failed', { error: describeError(error) }));
    // A program that is being stopped does not wait for it.
    server.unref();
    this.#servers.push(server);
    this.#addresses.push(realAddress(address, server));
  }

  /** Requests under way are cut. */
  close(): void {
    for (const server of this.#servers.splice(0)) {
      server.close();
      server.closeAllConnections();
    }
  }
}

/** What is over a limit is closed before a byte of it is read. */
function limitConnections(server: Server, log: Logger): void {
  const limits = new ConnectionLimits({
    limits: () => ({
      maxConnections: MAX_CONNECTIONS,
      maxConnectionsPerClient: MAX_CONNECTIONS_PER_CLIENT,
    }),
    now: () => performance.now(),
    onRefused: (limit, refused, client) =>
      log.notice('too many connections to the admin listener: some are refused', {
        limit: limit === 'maxConnections' ? 'of all' : 'of one client',
        refused,
        open: limits.open,
        client,
      }),
  });
  server.on('connection', (socket) => {
    const client = clientGroup(plainAddress(socket.remoteAddress));
    const slot = limits.admit(client);
    socket.once('close', () => slot?.release());
    if (slot?.claim(client) !== true) socket.destroy();
  });
}

function isOwnHost(raw: string | undefined, hosts: readonly string[]): boolean {
  const host = raw === undefined ? undefined : readHost(raw);
  if (host === undefined) return false;
  return host.name === undefined || host.name === 'localhost' || hosts.includes(host.name);
}

function realAddress(address: Address, server: Server): Address {
  const bound = server.address();
  return 'socketPath' in address || bound === null || typeof bound === 'string'
    ? address
    : { host: address.host, port: bound.port };
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the address is in use by another program',
  EACCES: 'no permission (ports below 1024 need root or CAP_NET_BIND_SERVICE)',
  EADDRNOTAVAIL: 'the address does not belong to this machine',
};

function reasonOf(error: NodeJS.ErrnoException): string {
  return REASONS[error.code ?? ''] ?? describeError(error);
}
