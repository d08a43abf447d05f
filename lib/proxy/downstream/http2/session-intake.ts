/**
 * What a client sends on one HTTP/2 session: how much of it at once, in which pieces it is passed on, and at what price.
 */
import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { AbuseCounts } from './abuse-budget.js';
import { ReceiveWindow } from './receive-window.js';
import { joinData } from './request-body.js';
import { SessionMeter } from './session-meter.js';

export interface IntakeOptions {
  /** What carries the session. */
  readonly socket: Pick<Socket, 'bytesRead' | 'bytesWritten'>;
  /** Milliseconds of a clock by which the budget fills again. */
  now(): number;
  /** The client is cut off, for an error of the protocol or since it makes us do too much for nothing. Called once at most. */
  onCutOff(reason: string, counts: AbuseCounts): void;
}

/** Node destroys a session with it, as with those that nghttp2 finds. */
class AbuseError extends Error {
  readonly code = 'ERR_HTTP2_ABUSE';

  constructor() {
    super('it makes us do too much for nothing');
  }
}

export class SessionIntake {
  readonly #window: ReceiveWindow;
  readonly #meter: SessionMeter;

  /** To be made when the session begins. */
  constructor(session: ServerHttp2Session, options: IntakeOptions) {
    this.#window = new ReceiveWindow(session);
    this.#meter = new SessionMeter(session, {
      socket: options.socket,
      now: () => options.now(),
      onSpent: () => session.destroy(new AbuseError(), constants.NGHTTP2_ENHANCE_YOUR_CALM),
    });
    session.once('error', (error: Error & { readonly code?: string }) => {
      // Others are those of the connection: the client has gone.
      if (error.code?.startsWith('ERR_HTTP2_') === true) options.onCutOff(error.message, this.#meter.counts);
    });
  }

  /** @param isTunnel it is an extended CONNECT. */
  onStream(stream: ServerHttp2Stream, rawHeaders: readonly string[], isTunnel: boolean): void {
    this.#meter.onHead(bytesOf(rawHeaders), rawHeaders.length);
    if (stream.endAfterHeaders) return;
    this.#window.follow(stream);
    joinData(stream, {
      onPiece: (bytes) => this.#meter.onPiece(bytes, isTunnel),
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
