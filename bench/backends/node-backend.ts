/**
 * What all proxies have behind them where an answer of 1 KB does not do: one process with an HTTP and a TCP server, whose CPU time is
 * nobody's figure. Started by `start-node-backend.ts`, which it tells its ports.
 *
 * HTTP: `/N` is answered by N bytes, `/` by 512, once the body of the request has been read; WebSockets get their echo. TCP: see
 * `../load/framings.ts`.
 */
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { echoWebSocket } from './web-socket-echo.js';

/** Written again and again, never copied. */
const PIECE = Buffer.alloc(1024 ** 2, 'x');
const DEFAULT_BYTES = 512;
const TCP_HEAD_BYTES = 8;

function write(to: Writable, bytes: number, done: () => void): void {
  let left = bytes;
  const proceed = (): void => {
    while (left > 0) {
      const piece = PIECE.subarray(0, Math.min(left, PIECE.length));
      left -= piece.length;
      if (to.write(piece)) continue;
      to.once('drain', proceed);
      return;
    }
    done();
  };
  proceed();
}

const http = createHttpServer({ keepAliveTimeout: 60_000, requestTimeout: 0 }, (request, response) => {
  const bytes = Number(request.url?.slice(1)) || DEFAULT_BYTES;
  request.on('end', () => {
    response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': bytes });
    if (bytes <= PIECE.length) response.end(PIECE.subarray(0, bytes));
    else write(response, bytes, () => response.end());
  });
  request.resume();
});

http.on('upgrade', echoWebSocket);

/** One question after the other, each answered when it is whole. */
function onTcpConnection(socket: Socket): void {
  let head = Buffer.alloc(0);
  let missing = 0;
  const read = (piece: Buffer): void => {
    let rest = piece;
    if (head.length < TCP_HEAD_BYTES) {
      const needed = TCP_HEAD_BYTES - head.length;
      head = Buffer.concat([head, rest.subarray(0, needed)]);
      if (head.length < TCP_HEAD_BYTES) return;
      missing = head.readUInt32BE(0);
      rest = rest.subarray(needed);
    }
    missing -= rest.length;
    if (missing > 0) return;
    const wanted = head.readUInt32BE(4);
    head = Buffer.alloc(0);
    write(socket, wanted, () => undefined);
  };
  socket.setNoDelay(true).on('data', read);
  socket.on('error', () => undefined);
}

const tcp = createTcpServer(onTcpConnection);
const listening = [http, tcp].map(async (server) => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
});
const [httpPort, tcpPort] = await Promise.all(listening);
process.send?.({ httpPort, tcpPort });
process.on('disconnect', () => process.exit(0));
