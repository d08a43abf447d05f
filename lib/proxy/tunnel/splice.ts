/**
 * Two connections spliced: what comes from one goes to the other, both ways, with back-pressure.
 *
 * Each direction ends by itself: an end is passed on as an end, and the other direction goes on. A connection that fails
 * takes the other with it, as a reset where that is possible: half a message must not look like a whole one. The end of a connection
 * below TLS that has not ended (`close_notify`) is no failure here: Node tells it as any other end.
 */
import type { Socket } from 'node:net';
import type { ByteStream } from '../../net/client-socket.js';
import { destroyOnError } from '../../net/destroy-on-error.js';
import { isConnected } from '../../net/is-connected.js';
import { isShuttingDown } from '../../net/is-shutting-down.js';
import { PROBE_DELAY_MS } from '../../net/keep-alive.js';
import type { Transport } from '../../net/raw-connection.js';
import { IdleWatch } from './idle-watch.js';
import { pump } from './pump.js';

export interface SpliceOptions {
  /** A connection, or a stream of HTTP/2. */
  readonly client: ByteStream;
  readonly backend: Socket;
  /** Where the client is a stream of HTTP/2, what carries it, and what waits in it. */
  readonly carrier?: { readonly socket: ByteStream; waitingBytes(): number };
  /** Without a byte for so long that has come from either, or was taken by it, both are closed. */
  readonly idleTimeoutMs: number;
  /** Resets the client's connection, which lies below its TLS. */
  readonly resetClient: () => void;
  /** Both are closed. */
  readonly onEnd: (how: SpliceEnd, passed: SpliceBytes) => void;
  /** The time-out has passed: both are being closed. */
  readonly onIdle?: () => void;
  /** The backend has sent its first byte. */
  readonly onFirstByte?: () => void;
  /** The backend has ended, or failed, while the client had done neither. Maybe twice. */
  readonly onBackendGone?: () => void;
}

/** What was taken from each side for the other. */
export interface SpliceBytes {
  readonly fromClient: number;
  readonly fromBackend: number;
}

export type SpliceEnd = 'ended' | 'idle' | 'client failed' | 'backend failed' | 'stopped';

/** The splices of a worker that are under way. */
export class Splices {
  /** How to cut each. */
  readonly #underWay = new Set<() => void>();
  #onEnd: () => void = () => undefined;

  /**
   * How many are under way. The client's side of one may have closed long before: what it has sent is still on its way to a
   * backend that takes its time.
   */
  get size(): number {
    return this.#underWay.size;
  }

  /** Calls back whenever one has ended. One listener at a time. */
  onEnd(callback: () => void): void {
    this.#onEnd = callback;
  }

  /** Resets both sides of each: the program stops. */
  cut(): void {
    for (const cut of [...this.#underWay]) cut();
  }

  /** Splices two connections. Both must allow to be half open. @returns what has passed, at any time. */
  splice(options: SpliceOptions): SpliceBytes {
    const { client, backend, idleTimeoutMs, resetClient, onEnd, onIdle, onFirstByte, onBackendGone } =
      options;
    let how: SpliceEnd = 'ended';
    let openCount = 2;
    const passed = { fromClient: 0, fromBackend: 0 };
    const { carrier = { socket: client, waitingBytes: nothing } } = options;
    const idle = new IdleWatch(
      [
        { stream: client, carrier: carrier.socket, waitingBytes: () => carrier.waitingBytes() },
        { stream: backend, carrier: backend, waitingBytes: nothing },
      ],
      idleTimeoutMs,
      () => {
        how = 'idle';
        onIdle?.();
        client.destroy();
        backend.destroy();
      },
    );
    const cut = (): void => {
      how = 'stopped';
      resetClient();
      resetSocket(backend);
    };
    this.#underWay.add(cut);
    const onClientBytes = (bytes: number): void => {
      idle.note();
      passed.fromClient += bytes;
    };
    const onBackendBytes = (bytes: number): void => {
      idle.note();
      if (passed.fromBackend === 0 && bytes > 0) onFirstByte?.();
      passed.fromBackend += bytes;
    };
    const onClose = (socket: ByteStream, failure: SpliceEnd, reset: () => void): void => {
      const isWhole = socket.errored === null && socket.readableEnded && socket.writableFinished;
      if (!isWhole && how === 'ended') {
        how = failure;
        reset();
      }
      openCount -= 1;
      if (openCount > 0) return;
      idle.stop();
      this.#underWay.delete(cut);
      onEnd(how, passed);
      this.#onEnd();
    };
    // A write that has met the client's reset, of tickets for one, makes an end of it. Node's TLS never gets over that write: what came
    // for the client would wait for ever.
    const onClientEnd = (): void => {
      if (!isConnected(client)) client.destroy();
    };
    if (client.readableEnded) onClientEnd();
    else client.once('end', onClientEnd);
    const onBackendOver = (): void => {
      if (how === 'ended' && !client.readableEnded && !client.destroyed) onBackendGone?.();
    };
    backend.once('end', onBackendOver);
    backend.once('close', onBackendOver);
    destroyOnError(client);
    destroyOnError(backend);
    // The client's connection has been from its beginning.
    backend.setKeepAlive(true, PROBE_DELAY_MS);
    client.once('close', () => onClose(client, 'client failed', () => resetSocket(backend)));
    backend.once('close', () => onClose(backend, 'backend failed', resetClient));
    pump(client, backend, onClientBytes);
    pump(backend, client, onBackendBytes);
    return passed;
  }
}

function nothing(): number {
  return 0;
}

/** Closes a connection with a reset, or as it can be closed: a unix socket knows no reset, and there is none while our end is being said. */
export function resetSocket(socket: Transport | Socket): void {
  if ('writableEnded' in socket && isShuttingDown(socket)) {
    socket.destroy();
    return;
  }
  try {
    socket.resetAndDestroy();
  } catch {
    socket.destroy();
  }
}
