/**
 * The two ends of a TLS connection: the server's as the program has it, ours or one of Node's, and a client of Node's.
 */
import { once } from 'node:events';
import { connect as connectTcp, createServer, type AddressInfo, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { createSecureContext, type ConnectionOptions, type SecureContext, type TLSSocket } from 'node:tls';
import type { TlsClientSocket } from '../../../lib/net/client-socket.js';
import { acceptRaw, type RawConnection } from '../../../lib/net/raw-connection.js';
import type { SocketReader } from '../../../lib/net/socket-reader.js';
import { protocolList } from '../../../lib/tls/alpn.js';
import { serveTls } from '../../../lib/tls/server-socket.js';
import { makeTestCa } from '../../support/certificates.js';
import { connectTls } from '../../support/client.js';

export interface TlsEnds extends Disposable {
  readonly socket: TlsClientSocket;
  readonly raw: RawConnection;
  readonly alpn: string | undefined;
  readonly client: TLSSocket;
  /** What carries the client. */
  readonly wire: Socket;
  /** What the server's end has emitted, in order. */
  readonly events: string[];
}

/** Waits for an event. */
export async function told(socket: TlsClientSocket, event: string): Promise<void> {
  await new Promise((resolve) => socket.once(event, resolve));
}

/** What OpenSSL has to send, as long as it is not let go. */
export function opensslOf(socket: TlsClientSocket): { readonly writeQueueSize: number } | null {
  return (socket as TlsClientSocket & { _handle: { readonly writeQueueSize: number } | null })._handle;
}

/** Waits until it is closed, or knows that it is being closed. */
export async function closed(socket: TlsClientSocket): Promise<void> {
  if (!socket.destroyed) await told(socket, 'close');
}

/** Everything that a client receives until the end. */
export async function received(client: TLSSocket): Promise<string> {
  const chunks: Buffer[] = [];
  client.on('data', (chunk: Buffer) => chunks.push(chunk));
  if (!client.readableEnded) await once(client, 'end');
  return Buffer.concat(chunks).toString('latin1');
}

/** Reads into one small buffer after the other. */
export class Pieces implements SocketReader {
  readonly pieces: string[] = [];
  /** What it has read, where it lies. */
  readonly kept: Buffer[] = [];
  onPiece: (piece: string) => void = () => undefined;
  readonly #bytes: number;

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  get text(): string {
    return this.pieces.join('');
  }

  buffer(): Buffer {
    return Buffer.alloc(this.#bytes);
  }

  onRead(bytes: Buffer): void {
    this.pieces.push(bytes.toString('latin1'));
    this.kept.push(bytes);
    this.onPiece(bytes.toString('latin1'));
  }
}

export interface TlsEndsOptions {
  /** Whether the server's end is a `TLSSocket`. */
  readonly isOfNode: boolean;
  /** Whether its events are listened for. @default true */
  readonly isFollowed?: boolean;
  readonly client?: ConnectionOptions;
  /** Called within the handshake, as the program's users are. */
  readonly onSecured?: (socket: TlsClientSocket) => void;
}

/** Node resets no connection that TLS has taken: so this one is carried. */
function carriedBy(wire: Socket): Duplex {
  const stream = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _, done) => void wire.write(chunk, done),
    final: (done) => void wire.end(done),
  });
  wire.on('data', (chunk: Buffer) => stream.push(chunk));
  wire.on('end', () => stream.push(null));
  wire.on('close', () => stream.destroy());
  return stream;
}

let context: Promise<SecureContext> | undefined;

async function makeContext(): Promise<SecureContext> {
  const { chainPem, keyPem } = await (await makeTestCa()).issue(['a.test']);
  return createSecureContext({ cert: chainPem, key: keyPem });
}

const EVENTS = ['drain', 'end', 'finish', 'error', 'close'] as const;

export async function tlsEnds({
  isOfNode,
  isFollowed = true,
  client: options,
  onSecured,
}: TlsEndsOptions): Promise<TlsEnds> {
  const secureContext = await (context ??= makeContext());
  const server = createServer();
  const events: string[] = [];
  const secured = new Promise<Pick<TlsEnds, 'socket' | 'raw' | 'alpn'>>((resolve, reject) => {
    acceptRaw(server, (raw) =>
      raw.startReading({
        receive: (hello) => {
          if (hello === null) return false;
          const side = {
            ...{ context: secureContext, alpn: protocolList(['h2', 'http/1.1']) },
            listener: {
              onSecured: (socket: TlsClientSocket, alpn: string | undefined) => {
                for (const event of isFollowed ? EVENTS : []) socket.on(event, () => events.push(event));
                onSecured?.(socket);
                resolve({ socket, raw, alpn });
              },
              onFailed: (error: Error) => {
                raw.destroy();
                reject(error);
              },
            },
          };
          serveTls(raw, hello, side, isOfNode);
          return true;
        },
      }),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const wire = connectTcp(port, '127.0.0.1').on('error', () => undefined);
  try {
    const [ends, client] = await Promise.all([
      secured,
      connectTls({ ...options, socket: carriedBy(wire), port }),
    ]);
    client.on('error', () => undefined);
    return {
      ...ends,
      ...{ client, wire, events },
      [Symbol.dispose]: () => {
        client.destroy();
        wire.destroy();
        ends.raw.destroy();
      },
    };
  } finally {
    server.close();
  }
}

type Open = (options?: Omit<TlsEndsOptions, 'isOfNode'>) => Promise<TlsEnds>;

/** What Node's socket does is what the program is written for, and ours has to do the same: the same tests for both. */
export function onBoth(title: string, tests: (open: Open, isOfNode: boolean) => void): void {
  for (const isOfNode of [false, true]) {
    describe(`${title}, ${isOfNode ? "as a socket of Node's" : 'as a stream of ours'}`, () => {
      const opened: TlsEnds[] = [];

      afterEach(() => {
        for (const ends of opened.splice(0)) ends[Symbol.dispose]();
      });

      tests(async (options) => {
        const ends = await tlsEnds({ ...options, isOfNode });
        opened.push(ends);
        return ends;
      }, isOfNode);
    });
  }
}
