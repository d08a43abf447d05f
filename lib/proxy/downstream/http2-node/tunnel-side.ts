/**
 * A stream of Node's as the client's side of a tunnel. (Node ends a stream that the client has reset, in both directions.)
 */
import { constants, type ServerHttp2Stream } from 'node:http2';
import { writeCopy } from '../../../net/write-copy.js';
import type { TunnelSide } from '../tunnel-stream.js';

export class NodeTunnelSide implements TunnelSide {
  readonly #stream: ServerHttp2Stream;
  readonly #onBytes: (bytes: number) => void;

  /** @param onBytes told of what is sent. */
  constructor(stream: ServerHttp2Stream, onBytes: (bytes: number) => void) {
    this.#stream = stream;
    this.#onBytes = onBytes;
  }

  get isClosed(): boolean {
    return this.#stream.destroyed;
  }

  write(chunk: Buffer): boolean {
    this.#onBytes(chunk.length);
    return writeCopy(this.#stream, chunk);
  }

  end(done: () => void): void {
    this.#stream.end(done);
  }

  cancel(): void {
    this.#stream.close(constants.NGHTTP2_CANCEL);
  }

  onDrain(listener: () => void): void {
    this.#stream.on('drain', listener);
  }

  onClose(listener: () => void): void {
    this.#stream.on('aborted', listener);
    this.#stream.on('close', listener);
  }
}
