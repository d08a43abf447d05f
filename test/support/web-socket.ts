/**
 * WebSocket, both ends: a backend that echoes text messages (RFC 6455, no more of it than the tests need), and undici's
 * client through the proxy.
 */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { Agent, WebSocket } from 'undici';
import type { Backend } from './backend.js';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** Makes a backend accept WebSockets, and hands each connection over. */
export function acceptWebSockets(
  { server, requests }: Backend,
  onOpen: (socket: Socket, request: IncomingMessage) => void,
): void {
  server.on('upgrade', (request: IncomingMessage, socket: Socket) => {
    const { method = '', url = '', rawHeaders, headers } = request;
    requests.push({ method, url, rawHeaders, headers });
    const accept = createHash('sha1')
      .update(`${headers['sec-websocket-key'] ?? ''}${GUID}`)
      .digest('base64');
    socket.on('error', () => undefined);
    socket.write(
      [
        ...['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade'],
        ...[`Sec-WebSocket-Accept: ${accept}`, 'X-Backend: 1', '', ''],
      ].join('\r\n'),
    );
    onOpen(socket, request);
  });
}

/** Makes a backend accept WebSockets and echo what they say. */
export function echoWebSockets(backend: Backend): void {
  acceptWebSockets(backend, (socket) => {
    let pending = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      for (let frame = takeFrame(pending); frame !== undefined; frame = takeFrame(pending)) {
        pending = pending.subarray(frame.length);
        socket.write(frame.echo);
        // A close is echoed too, and was the last.
        if (frame.opcode === 8) socket.end();
      }
    });
  });
}

/** A message of up to 125 bytes as a client sends it. */
export function clientFrame(text: string, opcode = 1): Buffer {
  const payload = Buffer.from(text);
  const mask = [1, 2, 3, 4];
  const masked = payload.map((byte, i) => byte ^ (mask[i % 4] ?? 0));
  return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | payload.length, ...mask]), masked]);
}

/** The same as a server sends it. */
export function serverFrame(text: string, opcode = 1): Buffer {
  const payload = Buffer.from(text);
  return Buffer.concat([Buffer.from([0x80 | opcode, payload.length]), payload]);
}

/** The first whole frame of some bytes: masked, as clients send them. */
function takeFrame(bytes: Buffer): { opcode: number; length: number; echo: Buffer } | undefined {
  if (bytes.length < 2) return undefined;
  const short = (bytes[1] ?? 0) & 0x7f;
  const [size, at] =
    short < 126
      ? [short, 2]
      : short === 126
        ? [bytes.length < 4 ? NaN : bytes.readUInt16BE(2), 4]
        : [bytes.length < 10 ? NaN : Number(bytes.readBigUInt64BE(2)), 10];
  const length = at + 4 + size;
  if (!(bytes.length >= length)) return undefined;
  const mask = bytes.subarray(at, at + 4);
  const payload = bytes.subarray(at + 4, length);
  const text = payload.map((byte, i) => byte ^ (mask[i % 4] ?? 0));
  const header = Buffer.from(bytes.subarray(0, at));
  header[1] = short;
  return { opcode: (bytes[0] ?? 0) & 0x0f, length, echo: Buffer.concat([header, text]) };
}

/** A client of the proxy. */
export class EchoClient implements AsyncDisposable {
  readonly socket: WebSocket;
  readonly #agent: Agent;
  readonly #received: string[] = [];
  #watcher: () => void = () => undefined;

  private constructor(socket: WebSocket, agent: Agent) {
    this.socket = socket;
    this.#agent = agent;
    socket.addEventListener('message', ({ data }) => {
      this.#received.push(String(data));
      this.#watcher();
    });
    socket.addEventListener('close', () => this.#watcher());
  }

  static async connect(port: number, name: string, path = '/'): Promise<EchoClient> {
    const agent = new Agent({
      connect: {
        rejectUnauthorized: false,
        lookup: (_name, _options, done) => done(null, [{ address: '127.0.0.1', family: 4 }]),
      },
    });
    const socket = new WebSocket(`wss://${name}:${port}${path}`, { dispatcher: agent });
    try {
      await new Promise<void>((resolve, reject) => {
        socket.addEventListener('open', () => resolve());
        socket.addEventListener('error', () => reject(new Error('the WebSocket was not opened')));
      });
    } catch (error) {
      await agent.destroy();
      throw error;
    }
    return new EchoClient(socket, agent);
  }

  get isOpen(): boolean {
    return this.socket.readyState === WebSocket.OPEN;
  }

  /** Says something and waits for its echo. */
  async echo(text: string): Promise<string> {
    this.socket.send(text);
    await new Promise<void>((resolve, reject) => {
      this.#watcher = () => {
        if (this.#received.length > 0) resolve();
        else if (!this.isOpen) reject(new Error('the WebSocket was closed'));
      };
      this.#watcher();
    });
    return this.#received.shift() ?? '';
  }

  /** Closes it in good order. @returns the code */
  async close(): Promise<number> {
    const closed = new Promise<number>((resolve) => {
      this.socket.addEventListener('close', ({ code }) => resolve(code));
    });
    this.socket.close(1000);
    return closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy();
  }
}
