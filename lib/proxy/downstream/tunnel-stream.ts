/**
 * A stream of HTTP/2 as a connection: its end is an end only where the client has said so. Destroyed before both directions have ended, it
 * is reset with CANCEL, which is what RFC 8441 §5 has for TCP's reset.
 */
import { Duplex } from 'node:stream';
import type { BodySink, RequestBody } from './request-body.js';

/** What is written is passed on in pieces of the pump's size. */
const HIGH_WATER_MARK_BYTES = 65_536;

/** The client's side of a tunnel, as an engine has it. */
export interface TunnelSide {
  readonly isClosed: boolean;
  /** @param chunk overwritten afterwards. @returns false when the client is slow: `onDrain` follows. */
  write(chunk: Buffer): boolean;
  /** Ends our direction. @param done called when the end is handed to the connection. */
  end(done: () => void): void;
  /** Resets it with CANCEL. */
  cancel(): void;
  /** One listener. */
  onDrain(listener: () => void): void;
  /** It is closed for both directions, however that came. One listener. */
  onClose(listener: () => void): void;
}

export class TunnelStream extends Duplex implements BodySink {
  readonly #side: TunnelSide;
  readonly #body: RequestBody | null;
  /** The client has ended its direction. */
  #hasEnded = false;
  /** We have ended ours. */
  #hasFinished = false;
  /** Waits for the client to take more. */
  #onTaken: (() => void) | undefined;

  /** @param body what the client sends; null where that has ended already. */
  constructor(side: TunnelSide, body: RequestBody | null) {
    super({ writableHighWaterMark: HIGH_WATER_MARK_BYTES });
    this.#side = side;
    this.#body = body;
    side.onDrain(() => this.#takeMore());
    side.onClose(() => {
      // What the client has sent before its end may still wait for the backend.
      const isWhole = this.#hasFinished && (body === null || body.isWhole);
      if (!this.#isOver && !isWhole) this.#fail();
    });
    if (side.isClosed) this.#fail();
    else if (body === null) this.onBodyEnd();
    else body.start(this);
  }

  onBodyPiece(piece: Buffer): boolean {
    if (!this.push(piece)) this.#body?.pause();
    return true;
  }

  onBodyEnd(): void {
    this.#hasEnded = true;
    this.push(null);
  }

  onBodyFailure(): void {
    this.#fail();
  }

  override _read(): void {
    this.#body?.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    // Who writes uses the memory again as soon as it is told that nothing waits here.
    if (this.#side.write(chunk)) done();
    else this.#onTaken = done;
  }

  override _final(done: () => void): void {
    this.#side.end(() => {
      this.#hasFinished = true;
      done();
    });
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (!this.#isOver) this.#side.cancel();
    // What nobody reads would keep it from closing.
    this.#body?.discard();
    done(error);
  }

  get #isOver(): boolean {
    return this.#hasEnded && this.#hasFinished;
  }

  #takeMore(): void {
    const taken = this.#onTaken;
    this.#onTaken = undefined;
    taken?.();
  }

  #fail(): void {
    this.destroy(new Error('the client has reset the stream'));
  }
}
