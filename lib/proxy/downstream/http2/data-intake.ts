/**
 * DATA that comes on a connection: to which stream it goes, in which pieces, and how the client is let on.
 */
import { flowControlError, Setting } from '../../http2/frames.js';
import { settingsFrame, windowUpdateFrame } from '../../http2/frame-writer.js';
import type { FrameMeter } from './frame-meter.js';
import type { Output } from './output.js';
import { ReceiveWindow } from './receive-window.js';
import type { StreamTable } from './stream-table.js';
import type { Http2Stream } from './stream.js';

export interface DataIntakeParts {
  readonly output: Output;
  readonly meter: FrameMeter;
  readonly streams: StreamTable;
  /** The stream of a frame is not open. @throws Http2ConnectionError where that ends the connection */
  onUnknownStream(this: void, streamId: number): void;
  /** A stream has an error. */
  onStreamError(this: void, stream: Http2Stream, code: number): void;
  /** @param isWithin whether the client is within its budget. @throws Http2ConnectionError where it is not */
  pay(this: void, isWithin: boolean): void;
}

export class DataIntake {
  readonly #parts: DataIntakeParts;
  readonly #window = new ReceiveWindow();
  /** The stream of the frame that is being read; undefined: it is dropped. */
  #stream: Http2Stream | undefined;
  #bytes = 0;
  #flowBytes = 0;
  #greetedAtMs = performance.now();
  #isStopped = false;

  /** To be made when the connection greets. */
  constructor(parts: DataIntakeParts) {
    this.#parts = parts;
  }

  /** What a stream may send before it is told of more, in bytes. */
  get streamWindow(): number {
    return this.#window.streamBytes;
  }

  /** The client is let on no more. */
  stop(): void {
    this.#isStopped = true;
  }

  /** The client has acknowledged settings of ours. */
  onSettingsAck(): void {
    this.#window.onRoundTrip(performance.now() - this.#greetedAtMs);
    // Only of the first ones it is known when they went out.
    this.#greetedAtMs = -Infinity;
  }

  begin(streamId: number, flowBytes: number): void {
    this.#bytes = 0;
    this.#flowBytes = flowBytes;
    if (!this.#window.onData(flowBytes)) {
      throw flowControlError('DATA is more than the window of the connection');
    }
    const stream = this.#parts.streams.get(streamId);
    this.#stream = stream;
    if (stream === undefined) this.#parts.onUnknownStream(streamId);
    else this.#check(stream, stream.onData(flowBytes));
  }

  piece(piece: Buffer): void {
    this.#bytes += piece.length;
    const stream = this.#stream;
    if (stream?.isClosed === false) this.#check(stream, stream.onDataPiece(piece));
  }

  end(isLast: boolean): void {
    const { pay, meter } = this.#parts;
    const stream = this.#stream;
    this.#stream = undefined;
    const isOfTunnel = stream?.isForTunnel === true;
    pay(meter.onData(this.#bytes, this.#flowBytes - this.#bytes, isLast, isOfTunnel));
    if (stream?.isClosed === false) {
      stream.onDataEnd();
      if (isLast) this.#check(stream, stream.onEnd([]));
    }
    this.#credit();
  }

  /** So much more, or less, is held until somebody takes it. */
  onHeld(bytes: number): void {
    this.#window.onHeld(bytes);
    if (bytes < 0) this.#credit();
  }

  #check(stream: Http2Stream, code: number | undefined): void {
    if (code !== undefined) this.#parts.onStreamError(stream, code);
  }

  /** Opens the windows as far as they may be. */
  #credit(): void {
    if (this.#isStopped) return;
    const { output } = this.#parts;
    const grown = this.#window.grow(performance.now());
    if (grown !== undefined) {
      output.push(settingsFrame([[Setting.initialWindowSize, grown.streamBytes]]));
      if (grown.moreBytes > 0) output.push(windowUpdateFrame(0, grown.moreBytes));
    }
    const bytes = this.#window.credit();
    if (bytes > 0) output.push(windowUpdateFrame(0, bytes));
  }
}
