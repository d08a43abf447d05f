/**
 * Two connections spliced: what comes from one goes to the other, both ways, with back-pressure.
 *
 * Each direction ends by itself: an end is passed on as an end, and the other direction goes on. A connection that fails
 * takes the other with it, as a reset where that is possible: half a message must not look like a whole one.
 */
import type { Socket } from 'node:net';
import { pump } from './pump.js';

export interface SpliceOptions {
  readonly client: Socket;
  readonly backend: Socket;
  /** Without a byte in either direction for so long, both are closed. */
  readonly idleTimeoutMs: number;
  /** Resets the client's connection, which lies below its TLS. */
  readonly resetClient: () => void;
  /** Both are closed. */
  readonly onEnd: (how: SpliceEnd) => void;
}

export type SpliceEnd = 'ended' | 'idle' | 'client failed' | 'backend failed';

/** Splices two connections. Both must allow to be half open. */
export function splice({ client, backend, idleTimeoutMs, resetClient, onEnd }: SpliceOptions): void {
  let how: SpliceEnd = 'ended';
  let openCount = 2;
  const idle = setTimeout(() => {
    how = 'idle';
    client.destroy();
    backend.destroy();
  }, idleTimeoutMs);
  const onActivity = (): void => void idle.refresh();
  const onClose = (socket: Socket, failure: SpliceEnd, hadError: boolean, reset: () => void): void => {
    const isWhole = !hadError && socket.readableEnded && socket.writableFinished;
    if (!isWhole && how === 'ended') {
      how = failure;
      reset();
    }
    openCount -= 1;
    if (openCount > 0) return;
    clearTimeout(idle);
    onEnd(how);
  };
  client.on('error', () => undefined);
  backend.on('error', () => undefined);
  client.once('close', (hadError) => onClose(client, 'client failed', hadError, () => resetSocket(backend)));
  backend.once('close', (hadError) => onClose(backend, 'backend failed', hadError, resetClient));
  pump(client, backend, onActivity);
  pump(backend, client, onActivity);
}

/** Closes a connection with a reset, or as it can be closed: a unix socket knows no reset. */
export function resetSocket(socket: Socket): void {
  try {
    socket.resetAndDestroy();
  } catch {
    socket.destroy();
  }
}
