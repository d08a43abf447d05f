/**
 * A reader that is slower than whoever sends: what it has not read yet must lie somewhere, and should not lie in the proxy.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { FRAMINGS } from './framings.js';
import { KeptConnection } from './kept-connection.js';
import type { SlowOrder, SlowReport } from './orders.js';

/** @throws Error when the answer was whole in less than that time, or broke. */
export async function slow(order: SlowOrder): Promise<SlowReport> {
  const connection = await KeptConnection.open(order);
  const { socket } = connection;
  let readBytes = 0;
  socket.on('data', (piece: Buffer) => {
    readBytes += piece.length;
    socket.pause();
    setTimeout(() => socket.resume(), order.pauseMs);
  });
  const whole = connection.ask(FRAMINGS[order.protocol].question(order)).then(() => {
    throw new Error('the whole answer was read: that was not slow');
  });
  await Promise.race([delay(order.forMs), whole]);
  socket.destroy();
  return { readBytes };
}
