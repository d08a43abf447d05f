/**
 * A connection whose other end takes as much of what is written as a test says, and which tells of it as Node's sockets do.
 */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

export class HeldSocket extends Duplex {
  /** As Node's native handle has them. */
  readonly _handle = { bytesWritten: 0, writeQueueSize: 0 };
  #onTaken: (() => void) | undefined;

  constructor() {
    super({ emitClose: true });
    this.on('error', () => undefined);
  }

  /** For those who need a socket of Node's: it has what they use of one. */
  get asSocket(): Socket {
    return this as unknown as Socket;
  }

  override _read(): void {
    // The test pushes.
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this._handle.bytesWritten += chunk.length;
    this._handle.writeQueueSize += chunk.length;
    this.#onTaken = done;
  }

  /** The other end takes some. @param bytes absent: all that has been written */
  takeOut(bytes = this._handle.writeQueueSize): void {
    this._handle.writeQueueSize -= bytes;
    const onTaken = this.#onTaken;
    if (this._handle.writeQueueSize > 0 || onTaken === undefined) return;
    this.#onTaken = undefined;
    onTaken();
  }
}
