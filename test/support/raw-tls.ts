/**
 * TLS by the byte, for what no ordinary client sends: hand-made ClientHellos, first flights in pieces, connections that
 * stop in the middle.
 */
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { extension, frame, hostName, serverNames, u16, vector16 } from '../unit/tls/client-hello-bytes.js';

/** A TCP connection that notes what it gets. */
export class RawClient implements Disposable {
  readonly socket: Socket;
  /** Settles when the other side has closed the connection, in whatever way. */
  readonly closed: Promise<void>;
  #received = Buffer.alloc(0);
  #watcher: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.on('error', () => undefined); // a reset: `closed` says so
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#watcher();
    });
    socket.once('close', () => this.#watcher());
  }

  static async connect(port: number, host = '127.0.0.1', localAddress?: string): Promise<RawClient> {
    const socket = connectTcp({ port, host, noDelay: true, ...(localAddress && { localAddress }) });
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  get received(): Buffer {
    return this.#received;
  }

  /** Waits until this much has come, or the connection is closed. */
  async until(isEnough: (received: Buffer) => boolean): Promise<Buffer> {
    await new Promise<void>((resolve) => {
      this.#watcher = () => {
        if (isEnough(this.#received) || this.socket.closed) resolve();
      };
      this.#watcher();
    });
    return this.#received;
  }

  /** Sends the pieces one after the other, each in a segment of its own as far as the kernel goes along. */
  async send(...pieces: readonly Buffer[]): Promise<void> {
    for (const piece of pieces) await writeSegment(this.socket, piece);
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

async function writeSegment(socket: Socket, piece: Buffer): Promise<void> {
  await new Promise<void>((resolve) => socket.write(piece, () => resolve()));
  await new Promise<void>((resolve) => setImmediate(resolve));
}

/** Single bytes. */
export const byteByByte = (bytes: Buffer): Buffer[] => Array.from(bytes, (byte) => Buffer.from([byte]));

export interface RawHello {
  /** The host_name as it goes over the wire, one octet a character. Absent: no server_name extension. */
  readonly serverName?: string;
  /** Bytes of a padding extension (RFC 7685). */
  readonly padding?: number;
}

/** A ClientHello of TLS 1.2, whose answer is readable without a key. ECDSA and RSA are both welcome. */
export function clientHello12({ serverName, padding }: RawHello = {}): Buffer {
  const extensions = [
    ...(serverName === undefined ? [] : [serverNames(hostName(serverName))]),
    extension(10, vector16(Buffer.from([0x00, 0x1d, 0x00, 0x17]))), // X25519, P-256
    extension(11, Buffer.from([1, 0])), // uncompressed points
    extension(13, vector16(Buffer.from([0x04, 0x03, 0x08, 0x04, 0x04, 0x01]))), // ECDSA, RSA-PSS, RSA
    ...(padding === undefined ? [] : [extension(21, Buffer.alloc(padding))]),
  ];
  const body = Buffer.concat([
    u16(0x0303),
    Buffer.alloc(32, 7),
    Buffer.from([0]),
    vector16(Buffer.from([0xc0, 0x2b, 0xc0, 0x2f])), // ECDHE with ECDSA, with RSA
    Buffer.from([1, 0]),
    vector16(Buffer.concat(extensions)),
  ]);
  return frame(Buffer.concat([Buffer.from([1, body.length >> 16]), u16(body.length & 0xffff), body]));
}

/** What a server has answered to a ClientHello of TLS 1.2. */
export interface ServerFlight {
  readonly certificate?: X509Certificate;
  /** The description of a fatal alert (RFC 8446 §6). */
  readonly alert?: number;
}

/** Sends a hand-made ClientHello on a connection of its own; waits for the certificate, an alert or the end. */
export async function offer(port: number, hello: RawHello): Promise<ServerFlight> {
  using client = await RawClient.connect(port);
  await client.send(clientHello12(hello));
  await client.until((received) => Object.keys(readFlight(received)).length > 0);
  return readFlight(client.received);
}

/** The certificate or the alert in what a server has sent so far. */
export function readFlight(bytes: Buffer): ServerFlight {
  const handshakes: Buffer[] = [];
  for (let at = 0; at + 5 <= bytes.length;) {
    const end = at + 5 + bytes.readUInt16BE(at + 3);
    if (end > bytes.length) break;
    if (bytes[at] === 0x15 && bytes[at + 5] === 2) return { alert: bytes[at + 6] ?? 0 };
    if (bytes[at] === 0x16) handshakes.push(bytes.subarray(at + 5, end));
    at = end;
  }
  const messages = Buffer.concat(handshakes);
  for (let at = 0; at + 4 <= messages.length; at += 4 + messages.readUIntBE(at + 1, 3)) {
    const end = at + 4 + messages.readUIntBE(at + 1, 3);
    if (messages[at] !== 11 || end > messages.length) continue;
    const leaf = messages.subarray(at + 10, at + 10 + messages.readUIntBE(at + 7, 3));
    return { certificate: new X509Certificate(leaf) };
  }
  return {};
}

/** A stream for `tls.connect` that sends the first flight in the pieces that `reshape` makes of it. */
class ReshapedFlight extends Duplex {
  readonly raw: Socket;
  readonly #reshape: (hello: Buffer) => readonly Buffer[];
  #isFirst = true;

  constructor(raw: Socket, reshape: (hello: Buffer) => readonly Buffer[]) {
    super();
    this.raw = raw;
    this.#reshape = reshape;
    raw.on('data', (chunk: Buffer) => this.push(chunk));
    raw.on('end', () => this.push(null));
    raw.on('error', (error) => this.destroy(error));
    raw.on('close', () => this.destroy());
  }

  override _read(): void {
    // Pushed as it comes.
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const pieces = this.#isFirst ? this.#reshape(chunk) : [chunk];
    this.#isFirst = false;
    void (async () => {
      for (const piece of pieces) await writeSegment(this.raw, piece);
      done();
    })();
  }

  override _final(done: () => void): void {
    this.raw.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.raw.destroy();
    done(error);
  }
}

/** A TLS client with the TCP connection below it, to write past the encryption. */
export interface ReshapedClient {
  readonly tls: TLSSocket;
  readonly raw: Socket;
}

/** A real TLS client whose ClientHello goes out in pieces. Resolves after the handshake. */
export async function connectReshaped(
  options: ConnectionOptions & { readonly port: number },
  reshape: (hello: Buffer) => readonly Buffer[] = (hello) => [hello],
): Promise<ReshapedClient> {
  const raw = connectTcp({ port: options.port, host: '127.0.0.1', noDelay: true });
  await once(raw, 'connect');
  const socket = new ReshapedFlight(raw, reshape);
  socket.on('error', () => undefined); // the TLS client says it
  const tls = connect({ rejectUnauthorized: false, ...options, socket });
  try {
    await once(tls, 'secureConnect');
  } catch (error) {
    raw.destroy();
    throw error;
  }
  return { tls, raw };
}
