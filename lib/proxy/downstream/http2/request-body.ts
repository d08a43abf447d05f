/**
 * Joins the DATA of a request that has come in one turn of the event loop, before it is passed on.
 *
 * A client may send a byte a frame, and Node passes each on by itself: a write to the backend for each.
 */
import type { ServerHttp2Stream } from 'node:http2';
import { NextTurn } from './next-turn.js';

/** A piece of so much is passed on as it is. */
const WHOLE_BYTES = 4_096;
/** So much is passed on before the turn is over. */
const JOINED_BYTES = 16_384;

export interface DataObserver {
  /** A piece has come: all of a DATA frame, or a part of it. */
  onPiece(bytes: number): void;
  /** So much was passed on to who reads the stream. */
  onData(bytes: number): void;
}

/** To be called when the stream begins. A stream is told that it holds what waits here, so that it is paused in time. */
export function joinData(stream: ServerHttp2Stream, observer: DataObserver): void {
  const joiner = new DataJoiner(stream, observer);
  stream.push = (chunk: unknown): boolean => joiner.push(chunk as Buffer | null);
}

const turn = new NextTurn<DataJoiner>((joiner) => joiner.flush());

class DataJoiner {
  readonly #stream: ServerHttp2Stream;
  readonly #observer: DataObserver;
  readonly #push: (chunk: Buffer | null) => boolean;
  #pieces: Buffer[] = [];
  #bytes = 0;
  #isPutOff = false;

  constructor(stream: ServerHttp2Stream, observer: DataObserver) {
    this.#stream = stream;
    this.#observer = observer;
    this.#push = stream.push.bind(stream);
  }

  push(chunk: Buffer | null): boolean {
    if (chunk === null) {
      this.flush();
      return this.#push(null);
    }
    const { length } = chunk;
    this.#observer.onPiece(length);
    if (this.#bytes === 0 && length >= WHOLE_BYTES) return this.#pass(chunk);
    this.#pieces.push(chunk);
    this.#bytes += length;
    if (this.#bytes >= JOINED_BYTES) return this.flush();
    if (!this.#isPutOff) {
      this.#isPutOff = true;
      turn.add(this);
    }
    return this.#takesMore(this.#bytes);
  }

  flush(): boolean {
    this.#isPutOff = false;
    const [first, ...others] = this.#pieces;
    if (first === undefined) return this.#takesMore(0);
    const chunk = others.length === 0 ? first : Buffer.concat(this.#pieces, this.#bytes);
    this.#pieces = [];
    this.#bytes = 0;
    return this.#pass(chunk);
  }

  #pass(chunk: Buffer): boolean {
    // Destroyed streams push an end, and take nothing any more.
    if (this.#stream.destroyed) return false;
    const takesMore = this.#push(chunk);
    this.#observer.onData(chunk.length);
    return takesMore;
  }

  #takesMore(heldBytes: number): boolean {
    const { readableLength, readableHighWaterMark } = this.#stream;
    return readableLength + heldBytes < readableHighWaterMark;
  }
}
