/**
 * A stream of ours as the client's side of a tunnel.
 */
import { ErrorCode } from '../../http2/frames.js';
import type { TunnelSide } from '../tunnel-stream.js';
import type { Http2ResponseWriter } from './response-writer.js';
import type { Http2Stream } from './stream.js';

export class Http2TunnelSide implements TunnelSide {
  readonly #stream: Http2Stream;
  readonly #writer: Http2ResponseWriter;

  /** @param writer of the response that has opened it. */
  constructor(stream: Http2Stream, writer: Http2ResponseWriter) {
    this.#stream = stream;
    this.#writer = writer;
  }

  get isClosed(): boolean {
    return this.#stream.isClosed;
  }

  write(chunk: Buffer): boolean {
    this.#writer.bodyBytes += chunk.length;
    return this.#stream.write(chunk, true);
  }

  end(done: () => void): void {
    this.#writer.onSent(done);
    this.#stream.end([]);
  }

  cancel(): void {
    if (!this.#stream.isClosed) this.#stream.owner.stop(this.#stream, ErrorCode.cancel);
  }

  onDrain(listener: () => void): void {
    this.#writer.onDrain(listener);
  }

  onClose(listener: () => void): void {
    this.#writer.onClose(listener);
  }
}
