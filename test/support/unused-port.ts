/**
 * A port of this machine on which nobody listens, and that nobody is given by chance: neither a server that listens on port 0, nor
 * a connection. So it is free again when who listened there has gone.
 */
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below those that Linux gives away by itself, which begin at 32,768. */
const FIRST_PORT = 12_000;
/** Of each process that runs tests beside others. */
const PORTS = 4_000;
const WORKERS = 5;

const worker = Number(process.env['MOCHA_WORKER_ID'] ?? 0) % WORKERS;
/** Other runs on this machine begin elsewhere. */
let next = process.pid;

export async function unusedPort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + worker * PORTS + (next++ % PORTS);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}
