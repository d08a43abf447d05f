/**
 * Kept connections: every operation is a question and its answer. The connections stay open from order to order, so that after the
 * first one no handshake is among what is measured.
 */
import { KeptConnection } from './kept-connection.js';
import { inLanes } from './lanes.js';
import type { ExchangeOrder } from './orders.js';

/** By port and protocol: one for each lane. */
const kept = new Map<string, KeptConnection[]>();

export async function exchanges(order: ExchangeOrder): Promise<null> {
  const key = `${order.port}/${order.protocol}`;
  const connections = kept.get(key) ?? [];
  kept.set(key, connections);
  for (let lane = connections.length; lane < order.concurrency; lane++) {
    connections.push(await KeptConnection.open(order));
  }
  await inLanes(order, async (_, lane) => connections[lane]!.ask(order));
  return null;
}

/** Closes them all. */
export async function forget(): Promise<null> {
  const sockets = [...kept.values()].flat().map(({ socket }) => socket);
  kept.clear();
  await Promise.all(
    sockets.map((socket) => new Promise<void>((resolve) => socket.once('close', resolve).destroy())),
  );
  return null;
}
