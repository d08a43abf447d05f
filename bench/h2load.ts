/**
 * Load over HTTP/2: nghttp2's own client, which is far from being the slowest of those involved. Each call is a connection of its own;
 * that handshake is spread over all its requests.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { LoadError } from './load/load-error.js';

const run = promisify(execFile);

export interface StreamsOrder {
  /** On 127.0.0.1. */
  readonly port: number;
  readonly name: string;
  readonly path: string;
  /** The body of each request; absent: GET. */
  readonly bodyPath?: string;
  readonly operations: number;
  /** Streams at once, on one connection. */
  readonly streams: number;
}

/** @throws LoadError when not every request was answered by a 200. */
export async function performStreams(order: StreamsOrder): Promise<void> {
  const { port, name, path, bodyPath, operations, streams } = order;
  const { stdout } = await run('h2load', [
    ...['-n', String(operations), '-c', '1', '-m', String(streams)],
    // What the other loads fix too.
    ...['--groups', 'X25519', '--tls13-ciphers', 'TLS_AES_128_GCM_SHA256'],
    ...(bodyPath === undefined ? [] : ['--data', bodyPath]),
    ...['--connect-to', `127.0.0.1:${port}`, `https://${name}:${port}${path}`],
  ]);
  const isHttp2 = /^Application protocol: h2$/m.test(stdout);
  const answered = Number(/^status codes: (\d+) 2xx/m.exec(stdout)?.[1]);
  if (!isHttp2 || answered !== operations) {
    throw new LoadError(`not ${operations} requests answered over HTTP/2:\n${stdout}`);
  }
}
