/**
 * Kept connections: every operation is a question and its answer. The connections stay open from order to order, so that after the
 * first one no handshake is among what is measured.
 */
import { FRAMINGS } from './framings.js';
import { KeptConnection } from './kept-connection.js';
import { inLanes } from './lanes.js';
import type { ExchangeOrder, Faults } from './orders.js';

/** By port and protocol: one for each lane. */
const kept = new Map<string, KeptConnection[]>();

export async function exchanges(order: ExchangeOrder): Promise<Faults> {
  const key = `${order.port}/${order.protocol}`;
  const connections = kept.get(key) ?? [];
  kept.set(key, connections);
  let wrongCertificates = 0;
  for (let lane = connections.length; lane < order.concurrency; lane++) {
    const connection = await KeptConnection.open(order);
    if (connection.certificate !== order.certificate) wrongCertificates++;
    connections.push(connection);
  }
  const question = FRAMINGS[order.protocol].question(order);
  const failed = await inLanes(order, async (_, lane) => connections[lane]!.ask(question));
  return { ...failed, wrongCertificates };
}

/** Closes them all. */
export async function forgetConnections(): Promise<void> {
  const sockets = [...kept.values()].flat().map(({ socket }) => socket);
  kept.clear();
  const open = sockets.filter((socket) => !socket.closed);
  await Promise.all(
    open.map((socket) => new Promise<void>((resolve) => socket.once('close', resolve).destroy())),
  );
}
