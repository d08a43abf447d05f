/**
 * A backend that speaks HTTP/2 with prior knowledge, or with TLS.
 */
import { once } from 'node:events';
import {
  createSecureServer,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type Settings,
} from 'node:http2';
import type { AddressInfo } from 'node:net';

export interface H2Backend extends AsyncDisposable {
  /** As `startFront` and `--backend` take it. */
  readonly url: string;
  readonly sessions: readonly ServerHttp2Session[];
  readonly requests: readonly IncomingHttpHeaders[];
}

export async function startH2Backend(
  answer: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void,
  options: {
    readonly host?: string;
    readonly port?: number;
    readonly settings?: Settings;
    readonly tls?: { readonly key: string; readonly cert: string };
  } = {},
): Promise<H2Backend> {
  const { host = '127.0.0.1', port = 0, settings = {}, tls } = options;
  const server = tls === undefined ? createServer({ settings }) : createSecureServer({ ...tls, settings });
  const sessions: ServerHttp2Session[] = [];
  const requests: IncomingHttpHeaders[] = [];
  server.on('session', (session) => {
    sessions.push(session);
    session.on('error', () => undefined);
  });
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    requests.push(headers);
    answer(stream, headers);
  });
  server.listen(port, host);
  await once(server, 'listening');
  return {
    url: `h2+http${tls === undefined ? '' : 's'}://${host}:${(server.address() as AddressInfo).port}`,
    sessions,
    requests,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      for (const session of sessions) session.destroy();
      await closed;
    },
  };
}
