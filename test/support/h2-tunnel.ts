/**
 * Clients that open a WebSocket on a stream of HTTP/2 (RFC 8441), and see its bytes as they are.
 */
import { expect } from 'chai';
import { once } from 'node:events';
import type { ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import { eventually } from './eventually.js';
import type { H2Client } from './h2-client.js';
import { ACK, block, EMPTY, END_HEADERS, frame, FrameClient, HEADERS, SETTINGS } from './raw-h2.js';

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

/** Asks for a tunnel on stream 1, to send frames of one's own there: Node's client ends a stream before it resets it. */
export async function openFrames(port: number, name: string): Promise<FrameClient> {
  const client = await FrameClient.connect(port, name);
  // What is sent at once may be more than the window before the server's settings are in force.
  await client.until('the settings have come', (seen) => seen.of(SETTINGS, 0).length > 0);
  const head = block(Object.entries({ ...CONNECT, ':authority': name }));
  client.send(frame(SETTINGS, ACK, 0, EMPTY), frame(HEADERS, END_HEADERS, 1, head));
  return client;
}
