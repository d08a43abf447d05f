/**
 * A line between a client and a server on which every byte takes its time: TCP passed on later, in both directions.
 *
 *     await using line = await startSlowLine(front.port, 50);
 *     using client = await H2Client.connect(line.port, 'a.test');
 *
 * It carries any number of bytes at once, so that only what the two ends allow each other holds a transfer up.
 */
import { once } from 'node:events';
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';

export interface SlowLine extends AsyncDisposable {
  readonly port: number;
}

/** @param delayMs in each direction: half a round trip */
export async function startSlowLine(toPort: number, delayMs: number): Promise<SlowLine> {
  const sockets = new Set<Socket>();
  const pass = (from: Socket, to: Socket): void => {
    const later = (what: () => void): void => {
      setTimeout(() => {
        if (!to.destroyed) what();
      }, delayMs);
    };
    from.on('data', (chunk: Buffer) => later(() => to.write(chunk)));
    from.on('end', () => later(() => to.end()));
    from.on('close', () => later(() => to.destroySoon()));
    from.on('error', () => undefined);
  };
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const onward = connect({ port: toPort, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    for (const socket of [client, onward]) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    }
    pass(client, onward);
    pass(onward, client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
