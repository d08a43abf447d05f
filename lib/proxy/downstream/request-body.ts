/**
 * The body of a client's request, between the connection that it comes on and whoever passes it on.
 *
 * It flows only while somebody takes it: until then, and while that one is slow, its connection is told to read no more, and what
 * has been read already waits here. Who does not want it (any more) discards it: what then comes is dropped, for it must not
 * keep the answer from the client.
 */
import { requestTrailers } from '../headers/headers.js';

/** Takes a body. `onBodyEnd` or `onBodyFailure` comes last, and once. */
export interface BodySink {
  /** @returns whether the piece is still needed, until `release`: else its memory is used again. */
  onBodyPiece(piece: Buffer): boolean;
  /** @param trailers flat: those that may pass. */
  onBodyEnd(trailers: readonly string[]): void;
  /** It will never be whole: the client has gone, or what it sent is malformed. */
  onBodyFailure(reason: string): void;
}

/** Where a body comes from. */
export interface BodySource {
  /** Whether pieces are wanted. */
  setReading(isWanted: boolean): void;
  /** The body is wanted, for the first time: a client that waits for `100 Continue` may send it. */
  onBodyWanted(): void;
  /** Some of what waited has been taken, or dropped. */
  onWaitingTaken?(): void;
  /** A piece that was still needed is not any more: its memory may be used again. */
  onPieceFree?(piece: Buffer): void;
}

/** How long a client may send nothing while its body is waited for. */
export interface StallWatch {
  readonly timeoutMs: number;
  /** @returns whether it has as long again. */
  onStalled(): boolean;
}

export class RequestBody {
  readonly #source: BodySource;
  #sink: BodySink | undefined;
  #watch: StallWatch | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Read, and not taken yet. */
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #receivedBytes = 0;
  /** Trailers once the body has ended, or why it never will. */
  #end: readonly string[] | string | undefined;
  #hasBegun = false;
  #isWanted = false;
  #isPaused = false;
  #isDiscarded = false;
  /** As the source was told last. It begins unread. */
  #isReading = false;
  #isOver = false;

  constructor(source: BodySource) {
    this.#source = source;
  }

  /** Some of it has been given to a sink, and is gone. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** All of it has come, though perhaps not been taken. */
  get isWhole(): boolean {
    return typeof this.#end === 'object';
  }

  /** All of it has been given to a sink. */
  get isPassedOn(): boolean {
    return this.#isOver && this.isWhole;
  }

  /** What has come of it, also what was dropped. */
  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** What was read and not taken yet. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Whether a piece that comes now is taken at once. */
  get isTaken(): boolean {
    return this.#sink !== undefined && !this.#isPaused;
  }

  /** Gives up a client that stands still. To be called before `start`. */
  watch(watch: StallWatch): void {
    this.#watch = watch;
  }

  /** Gives it to a sink, which may call `stop`, `pause` and `discard` at once. */
  start(sink: BodySink): void {
    this.#sink = sink;
    this.#isPaused = false;
    // One that is empty has been told to end to an earlier sink, and lost nothing with it.
    if (!this.#hasBegun) this.#isOver = false;
    if (!this.#isWanted) {
      this.#isWanted = true;
      this.#source.onBodyWanted();
    }
    this.#flow();
  }

  /** Takes it from its sink. If nothing has been given, another one may start. */
  stop(): void {
    this.#sink = undefined;
    this.#adjust();
  }

  pause(): void {
    this.#isPaused = true;
    this.#adjust();
  }

  resume(): void {
    this.#isPaused = false;
    this.#flow();
  }

  /** For the sink: it needs a piece no more that it had said it does. */
  release(piece: Buffer): void {
    this.#source.onPieceFree?.(piece);
  }

  /** Nobody wants it, or what is left of it. */
  discard(): void {
    if (this.#isDiscarded) return;
    this.#isDiscarded = true;
    this.#sink = undefined;
    if (this.#forget()) this.#source.onWaitingTaken?.();
    this.#adjust();
  }

  /** For the source: a piece has come. @returns whether it is still needed: else its memory may be used again. */
  push(piece: Buffer): boolean {
    this.#receivedBytes += piece.length;
    if (this.#isDiscarded) return false;
    this.#timer?.refresh();
    if (this.#sink !== undefined && !this.#isPaused) return this.#give(this.#sink, piece);
    this.#waiting.push(piece);
    this.#waitingBytes += piece.length;
    return true;
  }

  /** For the source: all of it has come. @param trailers flat, as they came. */
  finish(trailers: readonly string[]): void {
    this.#end ??= requestTrailers(trailers);
    this.#flow();
  }

  /** For the source: it will never be whole. */
  fail(reason: string): void {
    // Nothing is missing of what has come whole, be it still to be taken.
    if (this.isWhole) return;
    this.#end ??= reason;
    // There is no reason to wait for what has been read.
    this.#forget();
    this.#isPaused = false;
    this.#flow();
  }

  #flow(): void {
    const waitedBytes = this.#waitingBytes;
    while (this.#sink !== undefined && !this.#isPaused && this.#waiting.length > 0) {
      const piece = this.#waiting.shift();
      if (piece === undefined) break;
      this.#waitingBytes -= piece.length;
      if (!this.#give(this.#sink, piece)) this.#source.onPieceFree?.(piece);
    }
    if (this.#waitingBytes < waitedBytes) this.#source.onWaitingTaken?.();
    const sink = this.#sink;
    const end = this.#end;
    if (sink !== undefined && !this.#isPaused && end !== undefined && !this.#isOver) {
      this.#isOver = true;
      this.#sink = undefined;
      if (typeof end === 'string') sink.onBodyFailure(end);
      else sink.onBodyEnd(end);
    }
    this.#adjust();
  }

  /** @returns whether there was anything. */
  #forget(): boolean {
    const pieces = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    for (const piece of pieces) this.#source.onPieceFree?.(piece);
    return pieces.length > 0;
  }

  #give(sink: BodySink, piece: Buffer): boolean {
    this.#hasBegun = true;
    return sink.onBodyPiece(piece);
  }

  /** Reads and waits as the state has it. */
  #adjust(): void {
    const isReading = (this.isTaken || this.#isDiscarded) && this.#end === undefined;
    if (isReading !== this.#isReading) {
      this.#isReading = isReading;
      this.#source.setReading(isReading);
    }
    const watch = this.#watch;
    if (watch === undefined) return;
    if (!isReading || this.#isDiscarded) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    } else {
      this.#timer ??= setTimeout(onStalled, watch.timeoutMs, this).unref();
    }
  }

  onStalled(): void {
    if (this.#watch?.onStalled() !== true) return;
    this.#timer = undefined;
    this.#adjust();
  }
}

function onStalled(body: RequestBody): void {
  body.onStalled();
}
