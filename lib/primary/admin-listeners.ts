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
import { removeStaleSocket } from '../net/stale-socket.js';
import { adminListener, type AdminHttpOptions } from './admin-http.js';

/** Time-outs of requests, milliseconds: they have no bodies. */
const REQUEST_TIMEOUT_MS = 10_000;
const MAX_CONNECTIONS = 256;

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
   * @throws ProxyError ERR_ENVIRONMENT: it is in use, or not permitted, or not this machine's.
   */
  async open(address: Address, http: AdminHttpOptions, hosts: () => readonly string[]): Promise<void> {
    const takesHost = (host: string | undefined): boolean => isOwnHost(host, hosts());
    const server = createServer(adminListener(isLoopback(address) ? { ...http, takesHost } : http));
    server.headersTimeout = REQUEST_TIMEOUT_MS;
    server.requestTimeout = REQUEST_TIMEOUT_MS;
    server.maxConnections = MAX_CONNECTIONS;
    if ('socketPath' in address) await removeStaleSocket(address.socketPath);
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) =>
        reject(environmentError(`--admin-listen ${addressText(address)}: ${reasonOf(error)}`, error)),
      );
      // Exclusive: in a cluster Node's primary would share the address with workers.
      server.listen({ ...connectOptions(address), exclusive: true }, resolve);
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
