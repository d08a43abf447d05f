/**
 * A backend that breaks off where a test wants it: it writes its own bytes, and goes on when it is told.
 *
 *     await using backend = await startBrokenBackend();
 *     backend.answer('/half', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
 *     // … the client has seen the half
 *     backend.breakOff('reset');
 *
 * A connection is for one request. Its path chooses what is written at once; what is unknown is not answered.
 */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';

/** How a connection ends: with FIN, or with RST. */
export type Break = 'end' | 'reset';

export interface BrokenBackend extends AsyncDisposable {
  /** What `--backend` takes. */
  readonly url: string;
  /** The paths asked for, in order. */
  readonly requests: readonly string[];
  /** Connections that are open. */
  readonly open: number;
  /** What is written when a path is asked for, and how the connection ends right after it. */
  answer(path: string, bytes: string, then?: Break): void;
  /** Ends all connections. */
  breakOff(how: Break): void;
  /** Writes more on all connections. */
  write(bytes: string): void;
}

/** @param port 0 lets the system choose */
export async function startBrokenBackend(port = 0): Promise<BrokenBackend> {
  const answers = new Map<string, { readonly bytes: string; readonly then: Break | undefined }>();
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    let head = '';
    socket.on('data', (chunk: Buffer) => {
      if (head.includes('\r\n\r\n')) return; // the body
      head += chunk.toString('latin1');
      if (!head.includes('\r\n\r\n')) return;
      const path = head.split(' ')[1] ?? '';
      requests.push(path);
      const answer = answers.get(path);
      if (answer === undefined) return;
      if (answer.bytes !== '') socket.write(answer.bytes);
      if (answer.then !== undefined) end(socket, answer.then);
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    get open() {
      return sockets.size;
    },
    answer: (path, bytes, then) => void answers.set(path, { bytes, then }),
    breakOff: (how) => {
      for (const socket of sockets) end(socket, how);
    },
    write: (bytes) => {
      for (const socket of sockets) socket.write(bytes);
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function end(socket: Socket, how: Break): void {
  if (how === 'end') socket.end();
  else socket.resetAndDestroy();
}
