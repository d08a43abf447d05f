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
}

export async function startRecordingBackend(): Promise<RecordingBackend> {
  const requests: RecordedRequest[] = [];
  const errors: string[] = [];
  let received = '';
  const sockets = new Set<Socket>();
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
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
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
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
