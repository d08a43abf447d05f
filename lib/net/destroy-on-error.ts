/**
 * Closes a socket that has an error: a TLS socket of Node's that was sent a record it cannot read says so, and stays open, where RFC 8446
 * §6.2 has it closed.
 */
import type { ByteStream } from './client-socket.js';

export function destroyOnError(socket: ByteStream): void {
  socket.on('error', destroyIt);
}

function destroyIt(this: ByteStream): void {
  this.destroy();
}
