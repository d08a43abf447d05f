/**
 * What stands in front of Redis, or in its place, when a test needs to count, delay, cut or refuse.
 */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Answers the commands of a connection with a line made from the command's name; undefined says nothing. */
export function answer(socket: Socket, reply: (command: string) => string | undefined): void {
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => {
    for (const [, command] of chunk.toString().matchAll(/\*\d+\r\n\$\d+\r\n([a-z]+)\r\n/gi)) {
      const line = reply(command ?? '');
      if (line !== undefined) socket.write(`${line}\r\n`);
    }
  });
}

/** What has happened meanwhile is seen afterwards: to be awaited in a loop with a condition. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Listens on a free port; `stop` ends the connections too. */
export async function listen(server: Server): Promise<{ port: number; stop(): Promise<void> }> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

export interface Proxy {
  readonly url: string;
  /** How often, while something runs, the client spoke after the server had (or at first): round trips. */
  countRounds(run: () => Promise<unknown>): Promise<number>;
  /** Nothing passes to the server until `release`. */
  hold(): void;
  release(): void;
  /** Ends the connection instead of passing a command on, as many times as said. */
  cutOn(command: string, times: number): void;
  /** Ends the connections. */
  cut(): void;
  nextConnection(): Promise<unknown>;
  connections(): number;
  openConnections(): number;
  stop(): Promise<void>;
}

/** Starts a TCP proxy in front of Redis that counts and interferes. */
export async function startProxy(port: number): Promise<Proxy> {
  const open = new Set<Socket>();
  let [connections, rounds, cutsLeft] = [0, 0, 0];
  let cutCommand = '';
  let speaker = 'server';
  let held: (() => void)[] | undefined;
  const server = createServer((client) => {
    connections++;
    open.add(client);
    const upstream = connect(port, '127.0.0.1');
    const end = (): void => {
      client.destroy();
      upstream.destroy();
    };
    client.on('data', (chunk) => {
      if (cutsLeft > 0 && chunk.toString().includes(`\r\n${cutCommand}\r\n`)) {
        cutsLeft--;
        end();
        return;
      }
      if (speaker === 'server') rounds++;
      speaker = 'client';
      if (held === undefined) upstream.write(chunk);
      else held.push(() => upstream.write(chunk));
    });
    upstream.on('data', (chunk) => {
      speaker = 'server';
      client.write(chunk);
    });
    upstream.on('error', end).on('close', end);
    client.on('error', end).on('close', end);
    client.on('close', () => open.delete(client));
  });
  const listening = await listen(server);
  return {
    url: `redis://127.0.0.1:${listening.port}`,
    async countRounds(run) {
      rounds = 0;
      await run();
      return rounds;
    },
    hold: () => void (held = []),
    release() {
      for (const write of held ?? []) write();
      held = undefined;
    },
    cutOn(command, times) {
      cutCommand = command;
      cutsLeft = times;
    },
    cut() {
      for (const socket of open) socket.destroy();
    },
    nextConnection: () => once(server, 'connection'),
    connections: () => connections,
    openConnections: () => open.size,
    stop: () => listening.stop(),
  };
}
