/**
 * The doors of the primary for administrators: the control socket and `--admin-listen`; and what answers behind them and behind those
 * of the workers.
 */
import { join } from 'node:path';
import { Authenticator } from '../admin/authenticator.js';
import { FailedLogins } from '../admin/failed-logins.js';
import { HashingThread } from '../admin/hashing-thread.js';
import { AdminRouter, type AdminRouterOptions } from '../admin/routes.js';
import type { Call, OperationHandlers } from '../admin/operations.js';
import { MAX_SOCKET_PATH_BYTES } from '../config/listen-address.js';
import { isLoopback, type Address } from '../domain/address.js';
import { isIpv6Alone } from '../domain/wildcard-address.js';
import { describeError, environmentError } from '../domain/errors.js';
import type { Logger } from '../log/logger.js';
import type { AdminHttpOptions } from './admin-http.js';
import { AdminListeners } from './admin-listeners.js';
import { ControlServer } from './control-server.js';
import { EventStream } from './event-stream.js';
import type { OperationHost } from './operation-host.js';
import { operate, operationHandlers } from './operations.js';
import { Snapshots } from './snapshots.js';

export class Control {
  readonly #host: OperationHost;
  readonly #log: Logger;
  readonly #handlers: OperationHandlers;
  readonly #events: EventStream;
  readonly #listeners = new AdminListeners();
  #authenticator: Authenticator | undefined;
  #socket: ControlServer | undefined;

  constructor(host: OperationHost, log: Logger) {
    this.#host = host;
    this.#log = log;
    const snapshots = new Snapshots(host);
    this.#handlers = operationHandlers(host, snapshots);
    this.#events = new EventStream({ snapshot: () => snapshots.make() });
  }

  /** Where the admin listener accepts, with the real ports. */
  get addresses(): readonly Address[] {
    return this.#listeners.addresses;
  }

  /** Runs an operation that a worker was asked for. */
  operate(call: Call): Promise<unknown> {
    return operate(this.#handlers, call);
  }

  /**
   * Opens the doors. Where no control socket was named, the program runs without it if it cannot be opened: several programs may
   * share a state directory.
   *
   * @throws ProxyError ERR_ENVIRONMENT: one that was named cannot be opened.
   */
  async open(): Promise<void> {
    const { admin } = this.#host.settings;
    for (const address of admin.listen) await this.#openListener(address);
    await this.#openSocket();
  }

  /** The settings have been read again. */
  configure(): void {
    this.#authenticator?.configure(this.#host.settings.admin.htpasswd ?? '');
  }

  close(): void {
    this.#events.close();
    this.#listeners.close();
    this.#socket?.close();
    this.#socket = undefined;
  }

  async #openListener(address: Address): Promise<void> {
    const router = this.#router(
      isLoopback(address) ? { trusted: true } : { authenticator: this.#openAuthenticator() },
    );
    const { admin } = this.#host.settings;
    await this.#listeners.open(
      address,
      this.#http(router),
      () => this.#host.settings.admin.hosts,
      isIpv6Alone(address, admin.listen),
    );
  }

  async #openSocket(): Promise<void> {
    const { controlSocket, stateDir } = this.#host.settings;
    const path = controlSocket ?? join(stateDir, 'control.sock');
    const server = new ControlServer(this.#http(this.#router({ trusted: true, isControl: true })));
    try {
      if (Buffer.byteLength(path) > MAX_SOCKET_PATH_BYTES) {
        throw environmentError(
          `--control-socket ${path}: longer than ${MAX_SOCKET_PATH_BYTES} bytes, which no socket can be`,
        );
      }
      await server.open(path);
      this.#socket = server;
    } catch (thrown) {
      if (controlSocket !== undefined) throw thrown;
      this.#log.notice('control socket not opened: commands cannot reach this program', {
        error: describeError(thrown),
      });
    }
  }

  #http(router: AdminRouter): AdminHttpOptions {
    return { router, events: this.#events, log: this.#log };
  }

  /** One for all listeners: what an address has guessed at one counts at all. */
  #openAuthenticator(): Authenticator {
    const log = this.#log;
    this.#authenticator ??= new Authenticator(
      {
        log,
        failed: new FailedLogins({ log, now: () => performance.now() }),
        thread: new HashingThread({ log }),
      },
      this.#host.settings.admin.htpasswd ?? '',
    );
    return this.#authenticator;
  }

  #router(door: Pick<AdminRouterOptions, 'trusted' | 'isControl' | 'authenticator'>): AdminRouter {
    const host = this.#host;
    return new AdminRouter({
      ...door,
      prefix: host.settings.admin.prefix,
      // Beyond the loopback a password decides; what hosts a loopback address answers is decided before.
      hosts: [],
      hasShortPaths: true,
      actions: {
        status: () => Promise.resolve(host.resolver.status()),
        expireAll: ({ hard }) => host.expireAll({ hard, workers: false }),
        expireDomain: ({ name }) => host.expireDomain(name, { workers: false }),
        operate: (call) => this.operate(call),
      },
      get config() {
        return host.settings;
      },
    });
  }
}
