/**
 * Clients that open a WebSocket on a stream of HTTP/2 (RFC 8441), and see its bytes as they are.
 */
import { expect } from 'chai';
import { once } from 'node:events';
import type { ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { connectTls } from './client.js';
import { eventually } from './eventually.js';
import type { H2Client } from './h2-client.js';
import {
  ACK,
  DATA,
  EMPTY,
  END_HEADERS,
  END_STREAM,
  GREETING,
  HEADERS,
  SETTINGS,
  block,
  frame,
} from './raw-h2.js';

export const CONNECT = {
  ':method': 'CONNECT',
  ':protocol': 'websocket',
  ':scheme': 'https',
  ':path': '/chat?x=1',
};

/** A stream, and what comes on it. */
export class Tunnel {
  readonly stream: ClientHttp2Stream;
  received = Buffer.alloc(0);
  hasEnded = false;

  constructor(stream: ClientHttp2Stream) {
    this.stream = stream;
    stream.on('data', (chunk: Buffer) => (this.received = Buffer.concat([this.received, chunk])));
    stream.on('end', () => (this.hasEnded = true));
  }

  static async open(client: H2Client, headers: IncomingHttpHeaders = {}): Promise<Tunnel> {
    const stream = client.open({ ...CONNECT, ...headers }, { isOpen: true });
    const [response] = (await once(stream, 'response')) as [IncomingHttpHeaders];
    expect(response[':status']).to.equal(200);
    return new Tunnel(stream);
  }

  async until(text: string | Buffer): Promise<void> {
    const wanted = Buffer.from(text);
    await eventually('it has come', () => this.received.equals(wanted));
  }

  /** How the stream was closed. */
  async closed(): Promise<number | undefined> {
    if (!this.stream.closed || !this.stream.destroyed) await once(this.stream, 'close');
    return this.stream.rstCode;
  }
}

/** A client that sends frames of its own on one stream: Node's ends a stream before it resets it. */
export class FrameClient implements Disposable {
  readonly #socket: TLSSocket;
  #received = Buffer.alloc(0);

  private constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => (this.#received = Buffer.concat([this.#received, chunk])));
    socket.write(GREETING);
  }

  /** Connects and asks for a tunnel. */
  static async open(port: number, name: string): Promise<FrameClient> {
    const client = new FrameClient(await connectTls({ port, servername: name, ALPNProtocols: ['h2'] }));
    // What it sends at once is more than the window before the server's settings are in force.
    await eventually('the settings have come', () => client.#received[3] === SETTINGS);
    client.sendBytes(frame(SETTINGS, ACK, 0, EMPTY));
    client.send(HEADERS, END_HEADERS, block(Object.entries({ ...CONNECT, ':authority': name })));
    return client;
  }

  /** Whether the server has ended the stream. */
  get hasEnd(): boolean {
    const bytes = this.#received;
    for (let at = 0; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3)) {
      if (bytes[at + 3] === DATA && bytes[at + 4] === END_STREAM) return true;
    }
    return false;
  }

  send(type: number, flags: number, payload: Buffer | string): void {
    this.sendBytes(frame(type, flags, 1, Buffer.from(payload)));
  }

  /** Sends frames as they are. */
  sendBytes(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}
