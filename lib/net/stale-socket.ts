/**
 * The file of a unix socket that a program left behind when it was killed: nobody listens on it, and it cannot be bound again.
 */
import { lstat, unlink } from 'node:fs/promises';
import { describeError, environmentError } from '../domain/errors.js';
import { connectFailure } from './unix-socket.js';

/**
 * Removes the file, where it is a socket that refuses connections. Anything else is left alone: binding will say what is
 * wrong with it.
 *
 * @throws ProxyError ERR_ENVIRONMENT: it may not be removed.
 */
export async function removeStaleSocket(socketPath: string): Promise<void> {
  const status = await lstat(socketPath).catch(() => undefined);
  if (status?.isSocket() !== true || (await connectFailure(socketPath)) !== 'ECONNREFUSED') return;
  try {
    await unlink(socketPath);
  } catch (thrown) {
    throw environmentError(
      `unix:${socketPath} was left behind and cannot be removed: ${describeError(thrown)}`,
      thrown,
    );
  }
}
