/**
 * Lets a socket be read on when a write to it has failed.
 *
 * Who has enough of what it is sent says so, and closes: what it has said is there to be read, while what is still written meets the
 * reset. Node destroys the socket then, and all that has not been read is lost with it.
 */
import { Socket } from 'node:net';
import { watchEnd } from './watch-end.js';

/** What a write meets that comes after the other side has closed. */
const CODES = new Set(['ECONNRESET', 'EPIPE']);

/**
 * @param mayOutlive asked when a write has failed. @returns whether the socket is to be read on. It then has to be destroyed by
 *   whoever has asked for that: nothing is written to it any more.
 * @param onEnd called at the end of what is read behind such a failure: Node has no `end` there.
 */
export function outliveWrites(socket: Socket, mayOutlive: () => boolean, onEnd: () => void): void {
  socket.destroy = (error?: Error & { readonly syscall?: string; readonly code?: string }) => {
    const isOfWrite = error?.syscall === 'write' && CODES.has(error.code ?? '');
    if (!isOfWrite || !mayOutlive()) return Socket.prototype.destroy.call(socket, error);
    watchEnd(socket, () => process.nextTick(onEnd));
    return socket;
  };
}
