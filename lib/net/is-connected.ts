/**
 * Whether the other end of a connection is still there, where nothing is read that would tell.
 */
import type { ByteStream } from './client-socket.js';

/** Node's native stream handle. Undocumented; not on a unix socket. */
interface NativeHandle {
  getpeername?(out: object): number;
}

/** One that has closed answers what is sent to it with a reset: from then on the system knows no peer. True where Node does not tell. */
export function isConnected(socket: ByteStream): boolean {
  const { _handle: handle } = socket as unknown as { _handle?: NativeHandle | null };
  return handle !== null && (handle?.getpeername?.({}) ?? 0) === 0;
}
