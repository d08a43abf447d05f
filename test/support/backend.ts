/**
 * A backend of the proxy: a plain `node:http` server on a free port of 127.0.0.1, or on a unix socket, or with TLS.
 *
 *     await using backend = await startBackend((request, response) => response.end('hello'));
 *     await using program = await startProgram(['--backend', backend.url]);
 */
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

/** A request as it arrived, without its body. */
export interface BackendRequest {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
  readonly headers: NodeJS.Dict<string | string[]>;
}

export interface BackendOptions {
  readonly tls?: { readonly key: string; readonly cert: string };
  readonly socketPath?: string;
  /** @default 127.0.0.1 */
  readonly host?: string;
  /** @default one that is free */
  readonly port?: number;
}

export interface Backend extends AsyncDisposable {
  /** What `--backend` takes. */
  readonly url: string;
  readonly server: Server;
  readonly requests: BackendRequest[];
  /** Connections accepted since the start. */
  readonly connections: number;
}

/** Starts one. @param listener what it answers; an empty 200 unless told */
export async function startBackend(
  listener: RequestListener = (_, response) => response.end(),
  { tls, socketPath, host = '127.0.0.1', port: wantedPort = 0 }: BackendOptions = {},
): Promise<Backend> {
  const requests: BackendRequest[] = [];
  let connections = 0;
  const noting: RequestListener = (request, response) => {
    const { method = '', url = '', rawHeaders, headers } = request;
    requests.push({ method, url, rawHeaders, headers });
    listener(request, response);
  };
  const server = tls === undefined ? createServer(noting) : createTlsServer(tls, noting);
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  if (socketPath === undefined) server.listen(wantedPort, host);
  else server.listen(socketPath);
  await once(server, 'listening');
  const { port } = socketPath === undefined ? (server.address() as AddressInfo) : { port: 0 };
  return {
    url: socketPath === undefined ? `http${tls ? 's' : ''}://${host}:${port}` : `unix:${socketPath}`,
    server,
    requests,
    get connections() {
      return connections;
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
