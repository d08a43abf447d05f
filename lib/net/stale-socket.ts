/**
 * The file of a unix socket that a program left behind when it was killed: nobody listens on it, and it cannot be bound again.
 */
import { lstat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { describeError, environmentError } from '../domain/errors.js';

/**
 * Removes the file, where it is a socket that refuses connections. Anything else is left alone: binding will say what is
 * wrong with it.
 *
 * @throws ProxyError ERR_ENVIRONMENT: it may not be removed.
 */
export async function removeStaleSocket(socketPath: string): Promise<void> {
  const status = await lstat(socketPath).catch(() => undefined);
  if (status?.isSocket() !== true || !(await refuses(socketPath))) return;
  try {
    await unlink(socketPath);
  } catch (thrown) {
    throw environmentError(
      `unix:${socketPath} was left behind and cannot be removed: ${describeError(thrown)}`,
      thrown,
    );
  }
}

function refuses(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    const settle = (refused: boolean): void => {
      socket.destroy();
      resolve(refused);
    };
    socket.once('connect', () => settle(false));
    socket.once('error', (error: NodeJS.ErrnoException) => settle(error.code === 'ECONNREFUSED'));
  });
}
