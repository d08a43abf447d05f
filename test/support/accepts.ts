/**
 * Whether somebody listens.
 */
import { once } from 'node:events';
import { connect } from 'node:net';

/** Connects to a port of this machine. @returns true, or rejects as long as nobody accepts there. */
export async function accepts(port: number): Promise<true> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } finally {
    socket.destroy();
  }
}
