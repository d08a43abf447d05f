/**
 * Makes a socket that is there already, or a stream of HTTP/2, read into buffers of ours, as `net.connect` does with its option
 * `onread`.
 *
 * Node allocates 64 KiB for each read of a TCP socket, and 16 KiB for each record of a TLS socket and each frame of HTTP/2. That
 * memory is outside V8's heap, and every 64 MiB of it start a collection of the whole heap: a third of the CPU time of a spliced
 * download.
 *
 * The option is only for connections that are being made, and not for TLS on top of another socket. What it sets is found
 * under its (undocumented) symbols; where there are none, nothing is done, and the socket goes on with `data` events. A `TlsStream` has
 * a method for it.
 */
import { constants, type Http2Stream } from 'node:http2';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ByteStream } from './client-socket.js';
import type { SocketReader } from './socket-reader.js';
import { TlsStream } from './tls-stream.js';

interface NativeHandle {
  useUserBuffer(buffer: Buffer): void;
  readStart(): void;
  readStop(): void;
}

/** The reads of a stream of HTTP/2. */
export interface StreamReads {
  /** Opens its window again as far as it was read meanwhile. */
  start(): unknown;
  /** What the client may still send comes all the same. */
  stop(): unknown;
}

const [BUFFER, CALLBACK, NEXT] = ['kBuffer', 'kBufferCb', 'kBufferGen'].map((description) =>
  Object.getOwnPropertySymbols(new Socket()).find((symbol) => symbol.description === description),
);

/**
 * Takes the reads of a connected socket over. Bytes that the socket has buffered must be read before.
 *
 * @returns false where that cannot be done.
 */
export function takeReads(socket: ByteStream, reader: SocketReader): boolean {
  if (socket instanceof TlsStream) {
    socket.readInto(reader);
    return true;
  }
  const handle = (socket as { _handle?: Partial<NativeHandle> | null })._handle;
  return (socket as Partial<Socket>).connecting !== true && readInto(socket, handle, reader);
}

/** What the socket has buffered, piece by piece; null: nothing more. */
export function bufferedOf(socket: ByteStream): Buffer | null {
  return socket.readableLength === 0 ? null : (socket.read() as Buffer | null);
}

/**
 * Takes the reads of a stream of HTTP/2 over. What the stream has buffered already is read at once; the rest comes from `start` on,
 * and its end is told by `end`. Where they cannot be taken over, the reader is given what Node reads.
 */
export function takeStreamReads(stream: Http2Stream, reader: SocketReader): StreamReads {
  const ofHandle = Object.getOwnPropertySymbols(stream).find(({ description }) => description === 'kHandle');
  // Node takes it from the stream when that is destroyed: it must not be touched any more.
  const handle = (): Partial<NativeHandle> | undefined =>
    ofHandle && (stream as unknown as Record<symbol, NativeHandle | undefined>)[ofHandle];
  stream.pause();
  if (!readInto(stream, handle(), reader)) {
    stream.on('data', (piece: Buffer) => reader.onRead(piece));
    return { start: () => stream.resume(), stop: () => stream.pause() };
  }
  // What ends with its fields, Node does not tell the end of before a read that finds it.
  stream.on('trailers', () => void stream.read(0));
  stream.on('response', (_: unknown, flags: number) => {
    if ((flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0) stream.read(0);
  });
  if (stream.readableLength > 0) {
    // Node 26 returns one piece at each read, Node 20 all of them.
    for (let early = readOf(stream); early !== null; early = readOf(stream)) reader.onRead(early);
    handle()?.readStop?.();
  }
  return { start: () => handle()?.readStart?.(), stop: () => handle()?.readStop?.() };
}

function readOf(stream: Http2Stream): Buffer | null {
  return stream.read() as Buffer | null;
}

function readInto(
  socket: ByteStream | Duplex,
  handle: Partial<NativeHandle> | null | undefined,
  reader: SocketReader,
): boolean {
  if (BUFFER === undefined || CALLBACK === undefined || NEXT === undefined) return false;
  if (typeof handle?.useUserBuffer !== 'function') return false;
  const first = reader.buffer();
  const internals = socket as unknown as Record<symbol, unknown>;
  let hasRead = false;
  internals[BUFFER] = first;
  // Taken over within a read, it is asked before anything has come.
  internals[NEXT] = () => (hasRead ? reader.buffer() : first);
  internals[CALLBACK] = (byteCount: number, buffer: Buffer) => {
    hasRead = true;
    reader.onRead(buffer.subarray(0, byteCount));
    // Returning false would pause: the reader pauses the socket itself.
    return true;
  };
  handle.useUserBuffer(first);
  return true;
}
