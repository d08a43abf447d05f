/**
 * A backend that notes every byte it gets and reads them by the letter of RFC 9112, more strictly than any server: what it
 * does not take for a request is an error, and what follows one is another one.
 */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { readStrictly, type RecordedRequest } from './strict-reader.js';

export type { RecordedRequest } from './strict-reader.js';

export interface RecordingBackend extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly RecordedRequest[];
  /** What it could make no sense of. */
  readonly errors: readonly string[];
  /** All that has come, one character for each octet. */
  readonly received: string;
  readonly openConnections: number;
  clear(): void;
  /** From now on it answers nothing, until `release`. */
  hold(): void;
  /** Answers what waits, and what comes. */
  release(): void;
}

export async function startRecordingBackend(): Promise<RecordingBackend> {
  const requests: RecordedRequest[] = [];
  const errors: string[] = [];
  let received = '';
  const sockets = new Set<Socket>();
  let held: (() => void)[] | undefined;
  const answer = (socket: Socket, line: string): void => {
    const body = line.startsWith('HEAD ') ? '' : 'ok';
    if (held === undefined) socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n${body}`);
    else held.push(() => answer(socket, line));
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    let pending = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      pending += text;
      received += text;
      try {
        for (let read = readStrictly(pending); read !== undefined; read = readStrictly(pending)) {
          pending = pending.slice(read.length);
          requests.push(read.request);
          answer(socket, read.request.line);
        }
      } catch (error) {
        errors.push(String(error));
        socket.destroy();
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    errors,
    get received() {
      return received;
    },
    get openConnections() {
      return sockets.size;
    },
    clear() {
      received = '';
      requests.length = 0;
      errors.length = 0;
    },
    hold: () => void (held ??= []),
    release() {
      const waiting = held;
      held = undefined;
      for (const go of waiting ?? []) go();
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
