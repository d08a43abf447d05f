/**
 * What has been written to a socket, and is still on its way out.
 */
import type { ByteStream } from './client-socket.js';

/** What is left to send, in bytes. */
export interface SendQueues {
  /** Encrypted, and not written to the connection yet. */
  readonly inTls: number;
  /** Written to the connection, and not taken by the kernel yet. */
  readonly inKernel: number;
}

/** Node's native stream handle. What it tells is undocumented; the time-outs of Node's own sockets go by it. */
interface NativeHandle {
  readonly writeQueueSize?: number;
  readonly bytesWritten?: number;
  /** The one below, where this is TLS. */
  readonly _parent?: NativeHandle;
}

/** The bytes that a socket has still to send; undefined where Node does not tell. */
export function queuesOf(socket: ByteStream): SendQueues | undefined {
  const handle = handleOf(socket);
  if (handle === null) return { inTls: 0, inKernel: 0 };
  const inKernel = (handle?._parent ?? handle)?.writeQueueSize;
  const inTls = handle?._parent === undefined ? 0 : handle.writeQueueSize;
  return inTls === undefined || inKernel === undefined ? undefined : { inTls, inKernel };
}

/** All bytes of a socket that the kernel has taken, those of TLS included; undefined where Node does not tell. */
export function takenBytesOf(socket: ByteStream): number | undefined {
  const handle = handleOf(socket);
  const { bytesWritten, writeQueueSize } = handle?._parent ?? handle ?? {};
  return bytesWritten === undefined || writeQueueSize === undefined
    ? undefined
    : bytesWritten - writeQueueSize;
}

function handleOf(socket: ByteStream): NativeHandle | null | undefined {
  return (socket as { readonly _handle?: NativeHandle | null })._handle;
}
