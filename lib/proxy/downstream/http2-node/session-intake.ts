/**
 * What a client sends on one HTTP/2 session: how much of it at once, in which pieces it is passed on, and at what price.
 */
import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { AbuseCounts } from '../abuse-budget.js';
import { bytesOf } from '../http2-limits.js';
import { ReceiveWindow } from './receive-window.js';
import { SessionMeter } from './session-meter.js';
import type { SourceObserver, StreamSource } from './stream-source.js';

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

export class SessionIntake implements SourceObserver {
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

  onHead(rawHeaders: readonly string[]): void {
    this.#meter.onHead(bytesOf(rawHeaders), rawHeaders.length);
  }

  onSourceOpen(source: StreamSource): void {
    this.#window.follow(source);
  }

  onSourceClose(source: StreamSource): void {
    this.#window.leave(source);
  }

  onReading(source: StreamSource, isRead: boolean): void {
    this.#window.onReading(source, isRead);
  }

  onWaitingTaken(): void {
    this.#window.onTaken();
  }

  onPiece({ isOfTunnel }: StreamSource, bytes: number): void {
    this.#meter.onPiece(bytes, isOfTunnel);
  }

  onJoined(source: StreamSource, bytes: number): void {
    this.#window.onData(source, bytes);
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
