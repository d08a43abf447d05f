/**
 * What a client sends on one HTTP/2 session: how much of it at once, in which pieces it is passed on, and at what price.
 */
import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { AbuseCounts } from './http2-abuse-budget.js';
import { ReceiveWindow } from './http2-receive-window.js';
import { joinData } from './http2-request-body.js';
import { SessionMeter } from './http2-session-meter.js';

export interface IntakeOptions {
  /** What carries the session. */
  readonly socket: Pick<Socket, 'bytesRead' | 'bytesWritten'>;
  /** The client is cut off: it makes us do too much for nothing. */
  onAbuse(counts: AbuseCounts): void;
}

export class SessionIntake {
  readonly #window: ReceiveWindow;
  readonly #meter: SessionMeter;

  /** To be made when the session begins. */
  constructor(session: ServerHttp2Session, { socket, onAbuse }: IntakeOptions) {
    this.#window = new ReceiveWindow(session);
    this.#meter = new SessionMeter(session, {
      socket,
      now: () => performance.now(),
      onSpent: (counts) => {
        onAbuse(counts);
        // Without an error Node would send another code.
        session.destroy(new Error('the abuse budget is spent'), constants.NGHTTP2_ENHANCE_YOUR_CALM);
      },
    });
  }

  onStream(stream: ServerHttp2Stream, rawHeaders: readonly string[]): void {
    this.#meter.onHead(bytesOf(rawHeaders), rawHeaders.length);
    if (stream.endAfterHeaders) return;
    this.#window.follow(stream);
    joinData(stream, {
      onPiece: (bytes) => this.#meter.onPiece(bytes),
      onData: (bytes) => this.#window.onData(stream, bytes),
    });
  }

  onStreamClose(stream: ServerHttp2Stream): void {
    this.#meter.onStreamClose(stream, this.#window.streamBytes);
  }

  /** The head of a request was above our limits. */
  onRefusedHead(): void {
    this.#meter.onRefusedHead();
  }

  /** To be called once a second. */
  onTick(): void {
    this.#meter.onTick();
  }
}

/** Of all names and values. */
export function bytesOf(rawHeaders: readonly string[]): number {
  let bytes = 0;
  for (const part of rawHeaders) bytes += part.length;
  return bytes;
}
