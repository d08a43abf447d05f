/**
 * What becomes of a stream with an error, and of a frame whose stream is not open (RFC 9113 §5.1, §5.4).
 */
import { ErrorCode, FrameType, Http2ConnectionError, protocolError } from '../../http2/frames.js';
import { resetFrame } from '../../http2/frame-writer.js';
import type { FrameMeter } from './frame-meter.js';
import type { Output } from './output.js';
import type { StreamTable } from './stream-table.js';
import type { Http2Stream } from './stream.js';

export interface StreamErrorsParts {
  readonly output: Output;
  readonly meter: FrameMeter;
  readonly streams: StreamTable;
}

export class StreamErrors {
  readonly #parts: StreamErrorsParts;
  /** The last stream that we have said in a GOAWAY to answer. */
  lastTakenId = Infinity;

  constructor(parts: StreamErrorsParts) {
    this.#parts = parts;
  }

  /** @throws Http2ConnectionError where the client is over its budget */
  pay(isWithin: boolean): void {
    if (!isWithin)
      throw new Http2ConnectionError(ErrorCode.enhanceYourCalm, 'it makes us do too much for nothing');
  }

  /** The client has not opened it. */
  isIdle(streamId: number): boolean {
    return this.#parts.streams.isIdle(streamId) && !this.#isLate(streamId);
  }

  /** A frame has come whose stream is not open. @throws Http2ConnectionError where that ends the connection */
  onUnknownStream(streamId: number, type: number): void {
    if (this.#isLate(streamId)) return;
    const { streams } = this.#parts;
    if (streams.isIdle(streamId)) throw protocolError('a frame of a stream that has not begun');
    // It was sent before the client heard of the reset.
    if (streams.wasReset(streamId)) return;
    if (type === FrameType.headers)
      throw new Http2ConnectionError(ErrorCode.streamClosed, 'HEADERS of a stream that is closed');
    this.refuse(streamId, ErrorCode.streamClosed);
  }

  /** A frame is wrong in a way that ends its stream alone. @throws Http2ConnectionError where there is no such stream */
  onError(streamId: number, code: number): void {
    const stream = this.#parts.streams.get(streamId);
    if (this.#isLate(streamId)) return;
    if (stream !== undefined) this.reset(stream, code);
    else if (this.isIdle(streamId))
      throw new Http2ConnectionError(code, 'a stream that has not begun has an error');
    else this.refuse(streamId, code);
  }

  /** Does not let a stream begin, or go on. */
  refuse(streamId: number, code: number): void {
    const { output, streams, meter } = this.#parts;
    output.push(resetFrame(streamId, code));
    streams.rememberReset(streamId);
    this.pay(meter.onReset());
  }

  /** Ends one that is open. */
  reset(stream: Http2Stream, code: number): void {
    const { streams, meter } = this.#parts;
    stream.reset(code, 'the client has broken the protocol');
    streams.rememberReset(stream.id);
    this.pay(meter.onReset());
  }

  /** It was opened before the client heard of our last GOAWAY: what comes of it is dropped (§6.8). */
  #isLate(streamId: number): boolean {
    return streamId % 2 === 1 && streamId > this.lastTakenId;
  }
}
