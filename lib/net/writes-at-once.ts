/**
 * Whether what is written to a socket may be in memory that is used again afterwards.
 *
 * A TLS socket has encrypted what it is given when its `write` returns, if nothing was being written before. Whether it was is
 * undocumented of one of Node's: where it cannot be seen, the answer is no.
 */
import { TLSSocket } from 'node:tls';
import type { ByteStream } from './client-socket.js';
import { TlsStream } from './tls-stream.js';

/** Whether a socket encrypts: only then it can be one that writes at once. Not on Windows, where shared memory is not read into. */
export function isEncrypting(socket: ByteStream): boolean {
  return (socket instanceof TlsStream || socket instanceof TLSSocket) && process.platform !== 'win32';
}

/** Whether a write to a socket that encrypts goes out at once, rather than behind another one. */
export function isIdle(socket: ByteStream): boolean {
  if (socket instanceof TlsStream) return socket.isIdle;
  const { _writableState: state, writableCorked } = socket as NodeStream;
  return state?.writing === false && socket.writableLength === 0 && writableCorked === 0;
}

interface NodeStream extends ByteStream {
  readonly _writableState?: { readonly writing?: boolean };
  readonly writableCorked?: number;
}
