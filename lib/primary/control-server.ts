/**
 * HTTP for administrators in the primary: the control socket, which only the program's own user may open. It takes no traffic of
 * clients, so Node's own server does.
 */
import { chmodSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { dirname } from 'node:path';
import { makeDirectory } from '../base/make-directory.js';
import { describeError, environmentError } from '../domain/errors.js';
import type { Logger } from '../log/logger.js';
import { removeStaleSocket } from '../net/stale-socket.js';
import { adminListener, type AdminHttpOptions } from './admin-http.js';

/** Only the user that the program runs as, and root. */
const SOCKET_MODE = 0o600;
/** What is masked out of it while the socket is made: it must not be open to others even for a moment. */
const UMASK = 0o177;

export class ControlServer {
  readonly #server: Server;
  readonly #log: Logger;

  constructor(http: AdminHttpOptions) {
    this.#server = createServer(adminListener(http));
    this.#log = http.log;
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
    // Only now: that it cannot be opened is for the caller to say.
    this.#server.on('error', (error) =>
      this.#log.err('control socket failed', { error: describeError(error) }),
    );
    chmodSync(path, SOCKET_MODE);
    // A program that is being stopped does not wait for it.
    this.#server.unref();
  }

  /** Removes the socket; requests under way are cut. */
  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
