/** Parts that the tests of reloads and stops share: a configuration file, backends, requests on one connection. */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { startProgram, type Program, type ProgramOptions } from '../../support/program.js';

/** Writes flags as a configuration file. JSON is YAML too. */
export function writeConfig(path: string, flags: Readonly<Record<string, unknown>>): Promise<void> {
  return writeFile(path, JSON.stringify(flags, undefined, 2));
}

/** Starts the program on a configuration file, with nothing on the command line that the file might want to set. */
export function startWithConfig(path: string, options: ProgramOptions = {}): Promise<Program> {
  return startProgram(['--listen', '127.0.0.1:0', '--log-format', 'json', '--config', path], {
    ...options,
    bare: true,
  });
}

export interface Backend extends AsyncDisposable {
  readonly url: string;
  /** Requests that have arrived. */
  readonly requests: readonly IncomingMessage[];
}

/** An HTTP backend on a free port. */
export async function startBackend(listener: RequestListener): Promise<Backend> {
  const requests: IncomingMessage[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    requests.push(request);
    listener(request, response);
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}

/** A backend that answers every request with one word. */
export function startWordBackend(word: string): Promise<Backend> {
  return startBackend((_request, response) => response.end(word));
}

/** A client with one connection, which it keeps. */
export class KeptConnection {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  /** Sends a request and waits for the head of its response. */
  async open(path = '/'): Promise<{ response: IncomingMessage; reused: boolean }> {
    const outgoing = httpsRequest({
      host: '127.0.0.1',
      port: this.#port,
      path,
      agent: this.#agent,
      servername: 'kept.test',
      headers: { host: 'kept.test' },
    });
    outgoing.end();
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    return { response, reused: outgoing.reusedSocket };
  }

  async get(path = '/'): Promise<{ body: string; reused: boolean }> {
    const { response, reused } = await this.open(path);
    return { body: await textOf(response), reused };
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}

/** The rest of a body. Rejects when it is cut off. */
export async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
