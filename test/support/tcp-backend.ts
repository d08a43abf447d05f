/**
 * A backend of TCP mode: what it gets on each connection, and whatever a test makes it do.
 *
 *     await using backend = await startTcpBackend((connection) => connection.socket.pipe(connection.socket));
 *     await using program = await startProgram(['--backend', backend.url]);
 */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { eventually } from './eventually.js';

export interface TcpConnection {
  readonly socket: Socket;
  /** Everything received so far; stays empty while a test reads by itself. */
  readonly received: Buffer;
  readonly hasEnded: boolean;
  /** The code of the error that it ended with. */
  readonly error: string | undefined;
  readonly isClosed: boolean;
}

export interface TcpBackend extends AsyncDisposable {
  /** What `--backend` takes. */
  readonly url: string;
  readonly port: number;
  readonly connections: readonly TcpConnection[];
  /** Waits for the n-th connection, from 0. */
  connection(index?: number): Promise<TcpConnection>;
}

export interface TcpBackendOptions {
  readonly socketPath?: string;
  /** @default one that is free */
  readonly port?: number;
  /** The backend reads nothing by itself. */
  readonly isSilent?: boolean;
}

export async function startTcpBackend(
  onConnection: (connection: TcpConnection) => void = () => undefined,
  { socketPath, port: wantedPort = 0, isSilent = false }: TcpBackendOptions = {},
): Promise<TcpBackend> {
  const connections: TcpConnection[] = [];
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: isSilent }, (socket) => {
    const chunks: Buffer[] = [];
    const state = { hasEnded: false, error: undefined as string | undefined, isClosed: false };
    const connection: TcpConnection = {
      socket,
      get received() {
        return Buffer.concat(chunks);
      },
      get hasEnded() {
        return state.hasEnded;
      },
      get error() {
        return state.error;
      },
      get isClosed() {
        return state.isClosed;
      },
    };
    socket.on('error', ({ code }: NodeJS.ErrnoException) => (state.error = code));
    socket.on('end', () => (state.hasEnded = true));
    socket.on('close', () => (state.isClosed = true));
    if (!isSilent) socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    connections.push(connection);
    onConnection(connection);
  });
  if (socketPath === undefined) server.listen(wantedPort, '127.0.0.1');
  else server.listen(socketPath);
  await once(server, 'listening');
  const port = socketPath === undefined ? (server.address() as AddressInfo).port : 0;
  return {
    url: socketPath === undefined ? `tcp://127.0.0.1:${port}` : `tcp+unix:${socketPath}`,
    port,
    connections,
    async connection(index = 0) {
      await eventually(`the backend has connection ${index}`, () => connections.length > index);
      return connections[index] ?? Promise.reject(new Error('it has gone'));
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      for (const { socket } of connections) socket.destroy();
      await closed;
    },
  };
}
