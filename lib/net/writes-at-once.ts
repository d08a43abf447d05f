/**
 * Whether what is written to a socket may be in memory that is used again afterwards.
 *
 * A TLS socket has encrypted what it is given when its `write` returns, if nothing was being written before. Whether it was is
 * undocumented: where it cannot be seen, the answer is no.
 */
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';

/** Whether a socket encrypts: only then it can be one that writes at once. Not on Windows, where shared memory is not read into. */
export function isEncrypting(socket: Duplex): boolean {
  return socket instanceof TLSSocket && process.platform !== 'win32';
}

/** Whether a write to a socket that encrypts goes out at once, rather than behind another one. */
export function isIdle(socket: Duplex): boolean {
  const state = (socket as { _writableState?: { readonly writing?: boolean } })._writableState;
  return state?.writing === false && socket.writableLength === 0 && socket.writableCorked === 0;
}
