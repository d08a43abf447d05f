/**
 * HTTP for administrators in the primary: the control socket, which only the program's own user may open. It takes no traffic of
 * clients, so Node's own server does.
 */
import { chmodSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { dirname } from 'node:path';
import type { AdminRouter } from '../admin/routes.js';
import { makeDirectory } from '../base/make-directory.js';
import { describeError, environmentError } from '../domain/errors.js';
import { readTarget } from '../domain/request-target.js';
import type { Logger } from '../log/logger.js';
import { removeStaleSocket } from '../net/stale-socket.js';

/** Only the user that the program runs as, and root. */
const SOCKET_MODE = 0o600;
/** What is masked out of it while the socket is made: it must not be open to others even for a moment. */
const UMASK = 0o177;
/** `sun_path` of Linux has 108 bytes with its final zero. */
export const MAX_SOCKET_PATH = 107;

export interface ControlServerOptions {
  readonly router: AdminRouter;
  readonly log: Logger;
}

export class ControlServer {
  readonly #server: Server;
  readonly #log: Logger;

  constructor({ router, log }: ControlServerOptions) {
    this.#log = log;
    this.#server = createServer((request, response) => void this.#answer(router, request, response));
    this.#server.on('error', (error) => log.err('control socket failed', { error: describeError(error) }));
  }

  /**
   * Opens the socket; one that a program left behind is removed first.
   *
   * @throws ProxyError ERR_ENVIRONMENT: it is in use, or cannot be made there.
   */
  async open(path: string): Promise<void> {
    try {
      await makeDirectory(dirname(path));
    } catch {
      // Listening says what is wrong.
    }
    await removeStaleSocket(path);
    await new Promise<void>((resolve, reject) => {
      const refuse = (error: NodeJS.ErrnoException): void => {
        const why = error.code === 'EADDRINUSE' ? 'it is in use by another program' : describeError(error);
        reject(environmentError(`--control-socket ${path}: ${why}`, error));
      };
      this.#server.once('error', refuse);
      // The socket is made before `listen` returns.
      const umask = process.umask(UMASK);
      try {
        this.#server.listen({ path }, () => {
          this.#server.off('error', refuse);
          resolve();
        });
      } finally {
        process.umask(umask);
      }
    });
    chmodSync(path, SOCKET_MODE);
    // A program that is being stopped does not wait for it.
    this.#server.unref();
  }

  /** Removes the socket; requests under way are cut. */
  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #answer(router: AdminRouter, request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      request.resume();
      const { method = '', url = '', headers } = request;
      const target = readTarget(url);
      if (target === undefined) {
        response.writeHead(400).end();
        return;
      }
      const answer = await router.respond({
        method,
        target,
        host: headers.host,
        authorization: headers.authorization,
        browser: {
          origin: headers.origin,
          referer: headers.referer,
          'sec-fetch-site': headers['sec-fetch-site'],
        },
        client: request.socket.remoteAddress ?? '',
      });
      response.writeHead(answer.status, answer.headers).end(answer.body);
    } catch (thrown) {
      this.#log.err('admin request failed', { error: describeError(thrown) });
      if (!response.headersSent) response.writeHead(503);
      response.end();
    }
  }
}
