/**
 * HTTP/2 by the frame, for requests that no library would make.
 */
import type { TLSSocket } from 'node:tls';
import { connectTls } from './client.js';
import { eventually } from './eventually.js';

export type Field = readonly [name: string, value: string];

/** What came of a stream: `reset` and `goaway` with an error code, or a response by its status. */
export interface Outcome {
  readonly kind: 'response' | 'reset' | 'goaway' | 'closed';
  /** Of the ones in HPACK's static table; 0: another one. */
  readonly status?: number;
}

/** RFC 9113 §6. */
export const DATA = 0;
export const HEADERS = 1;
export const PRIORITY = 2;
export const RST_STREAM = 3;
export const SETTINGS = 4;
export const PUSH_PROMISE = 5;
export const PING = 6;
export const GOAWAY = 7;
export const WINDOW_UPDATE = 8;
export const CONTINUATION = 9;
export const ACK = 1;
export const END_STREAM = 1;
export const END_HEADERS = 4;
export const PADDED = 8;
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

const STATIC_STATUS: Readonly<Record<number, number>> = {
  ...{ 0x88: 200, 0x89: 204, 0x8a: 206, 0x8b: 304, 0x8c: 400, 0x8d: 404, 0x8e: 500 },
};

export const frame = (type: number, flags: number, stream: number, payload: Buffer): Buffer => {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
};

export const EMPTY = Buffer.alloc(0);

/** What a client begins with. */
export const GREETING = Buffer.concat([PREFACE, frame(SETTINGS, 0, 0, EMPTY)]);

/** A number in four octets. */
export const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

/** A setting, for SETTINGS. */
export const setting = (id: number, value: number): Buffer =>
  Buffer.concat([Buffer.from([0, id]), u32(value)]);

/** HPACK's plainest form: a literal without indexing, no Huffman. Up to 126 octets each. */
const literal = ([name, value]: Field): Buffer => {
  const [n, v] = [Buffer.from(name, 'latin1'), Buffer.from(value, 'latin1')];
  return Buffer.concat([Buffer.from([0, n.length]), n, Buffer.from([v.length]), v]);
};

/** A block of fields. */
export const block = (fields: readonly Field[]): Buffer => Buffer.concat(fields.map(literal));

/** Sends bytes as they are and waits for what becomes of them. */
export async function outcomeOf(port: number, name: string, bytes: Buffer): Promise<Outcome> {
  const socket = await connectTls({ port, servername: name, ALPNProtocols: ['h2'] });
  socket.on('error', () => undefined);
  socket.write(bytes);
  try {
    return await outcomeOn(socket);
  } finally {
    socket.destroy();
  }
}

/** Sends one request without a body and waits for what becomes of it. */
export async function requestByFrames(
  port: number,
  name: string,
  fields: readonly Field[],
): Promise<Outcome> {
  const request = frame(HEADERS, END_STREAM | END_HEADERS, 1, block(fields));
  return outcomeOf(port, name, Buffer.concat([GREETING, request]));
}

function outcomeOn(socket: TLSSocket): Promise<Outcome> {
  return new Promise((resolve) => {
    socket.on('close', () => resolve({ kind: 'closed' }));
    onFrames(socket, ({ type, payload }) => {
      if (type === HEADERS) resolve({ kind: 'response', status: STATIC_STATUS[payload[0] ?? 0] ?? 0 });
      else if (type === RST_STREAM) resolve({ kind: 'reset' });
      else if (type === GOAWAY) resolve({ kind: 'goaway' });
    });
  });
}

export interface ReceivedFrame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

function onFrames(socket: TLSSocket, onFrame: (received: ReceivedFrame) => void): void {
  let bytes = EMPTY;
  socket.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    while (bytes.length >= 9 && bytes.length >= 9 + bytes.readUIntBE(0, 3)) {
      const end = 9 + bytes.readUIntBE(0, 3);
      onFrame({
        type: bytes.readUInt8(3),
        flags: bytes.readUInt8(4),
        stream: bytes.readUInt32BE(5),
        payload: bytes.subarray(9, end),
      });
      bytes = bytes.subarray(end);
    }
  });
}

/** A connection on which a test sends what it likes, and sees what comes. */
export class FrameClient implements Disposable {
  readonly frames: ReceivedFrame[] = [];
  readonly socket: TLSSocket;
  isClosed = false;

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.on('close', () => (this.isClosed = true));
    onFrames(socket, (received) => this.frames.push(received));
  }

  /** Greets. */
  static async connect(port: number, name: string): Promise<FrameClient> {
    const socket = await connectTls({ port, servername: name, ALPNProtocols: ['h2'] });
    const client = new FrameClient(socket);
    client.send(GREETING);
    return client;
  }

  send(...frames: readonly Buffer[]): void {
    this.socket.write(Buffer.concat(frames));
  }

  /** What has come of a type on a stream. */
  of(type: number, stream: number): ReceivedFrame[] {
    return this.frames.filter((each) => each.type === type && each.stream === stream);
  }

  until(what: string, isThere: (client: this) => boolean): Promise<void> {
    return eventually(what, () => isThere(this));
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}
