/**
 * The doors of the primary for administrators, and what answers behind them and behind those of the workers.
 */
import { join } from 'node:path';
import { AdminRouter } from '../admin/routes.js';
import type { Call, OperationHandlers } from '../admin/operations.js';
import type { Settings } from '../config/settings.js';
import { describeError, environmentError } from '../domain/errors.js';
import type { Logger } from '../log/logger.js';
import { ControlServer, MAX_SOCKET_PATH } from './control-server.js';
import { operate, operationHandlers, type OperationHost } from './operations.js';

export class Control {
  readonly #host: OperationHost;
  readonly #log: Logger;
  readonly #handlers: OperationHandlers;
  #socket: ControlServer | undefined;

  constructor(host: OperationHost, log: Logger) {
    this.#host = host;
    this.#log = log;
    this.#handlers = operationHandlers(host);
  }

  /** Runs an operation that a worker was asked for. */
  operate(call: Call): Promise<unknown> {
    return operate(this.#handlers, call);
  }

  /**
   * Opens the control socket. Where none was named the program runs without it, if it cannot be opened: several programs may share
   * a state directory.
   *
   * @throws ProxyError ERR_ENVIRONMENT: one that was named cannot be opened.
   */
  async open({ controlSocket, stateDir }: Settings): Promise<void> {
    const path = controlSocket ?? join(stateDir, 'control.sock');
    const server = new ControlServer({ router: this.#router(), log: this.#log });
    try {
      if (Buffer.byteLength(path) > MAX_SOCKET_PATH) {
        throw environmentError(
          `--control-socket ${path}: longer than ${MAX_SOCKET_PATH} bytes, which no socket can be`,
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

  close(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }

  #router(): AdminRouter {
    const host = this.#host;
    const { settings } = host;
    return new AdminRouter({
      prefix: settings.admin.prefix,
      hosts: [],
      trusted: true,
      hasShortPaths: true,
      isControl: true,
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
