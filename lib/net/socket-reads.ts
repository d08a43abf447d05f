/**
 * Makes a socket that is there already read into buffers of ours, as `net.connect` does with its option `onread`.
 *
 * Node allocates 64 KiB for each read of a TCP socket and 16 KiB for each record of a TLS socket. That memory is outside V8's
 * heap, and every 64 MiB of it start a collection of the whole heap: a third of the CPU time of a spliced download.
 *
 * The option is only for connections that are being made, and not for TLS on top of another socket. What it sets is found
 * under its (undocumented) symbols; where there are none, nothing is done, and the socket goes on with `data` events.
 */
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

export interface SocketReader {
  /** Where the next piece goes. Asked before each of them. */
  buffer(): Buffer;
  /** A piece has come. */
  onRead(bytes: Buffer): void;
}

interface ReadsByHandle {
  useUserBuffer(buffer: Buffer): void;
}

const [BUFFER, CALLBACK, NEXT] = ['kBuffer', 'kBufferCb', 'kBufferGen'].map((description) =>
  Object.getOwnPropertySymbols(new Socket()).find((symbol) => symbol.description === description),
);

/**
 * Takes the reads of a connected socket over. Bytes that the socket has buffered must be read before.
 *
 * @returns false where that cannot be done.
 */
export function takeReads(socket: Duplex, reader: SocketReader): boolean {
  const handle = (socket as { _handle?: Partial<ReadsByHandle> | null })._handle;
  if (BUFFER === undefined || CALLBACK === undefined || NEXT === undefined) return false;
  if (typeof handle?.useUserBuffer !== 'function' || (socket as Partial<Socket>).connecting === true)
    return false;
  const first = reader.buffer();
  const internals = socket as unknown as Record<symbol, unknown>;
  internals[BUFFER] = first;
  internals[NEXT] = () => reader.buffer();
  internals[CALLBACK] = (byteCount: number, buffer: Buffer) => {
    reader.onRead(buffer.subarray(0, byteCount));
    // Returning false would pause: the reader pauses the socket itself.
    return true;
  };
  handle.useUserBuffer(first);
  return true;
}
