/**
 * Closing a connection on which the client is still sending.
 *
 * A close with bytes unread makes the kernel send a reset, which may overtake the answer and destroy it in the client's
 * hands (RFC 9112 §9.6).
 */
import type { Duplex } from 'node:stream';

const LINGER_MS = 5_000;

/** All sockets have it; in Node's types only those of `node:net`. */
export interface Closable extends Duplex {
  destroySoon(): void;
}

/**
 * Makes Node's HTTP server, which ends a connection by `destroySoon`, end our half only, and read and drop what the client
 * still sends until it has ended its own half or some seconds are over.
 */
export function lingerOnClose(socket: Closable): void {
  socket.destroySoon = () => {
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once('close', () => clearTimeout(timer));
    socket.end();
  };
}
