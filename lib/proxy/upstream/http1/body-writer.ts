/**
 * The body of a request on its way to a backend on HTTP/1.1: by its length or in chunks, with trailers, with back-pressure.
 *
 * The head goes out with the first piece, in one write, where that comes in the turn in which the request is sent; else without it: the
 * backend may have something to say before there is any. Until it has been sent some of the body it cannot have done what it is asked for,
 * and the request may go to another one.
 */
import type { Socket } from 'node:net';
import { hasGoneOut } from '../../../net/spare-memory.js';
import { trailerText, type RequestHead } from './request-head.js';
import type { UpstreamBody, UpstreamBodySink, UpstreamFailure } from '../upstream.js';

export interface BodyWriterListener {
  /** The head is being written. */
  onSendBegin(): void;
  /** The first of the body is being written, or its end. */
  onBodyBegin(): void;
  /** The backend takes no more for now, or takes more again. */
  onSendBlocked(isBlocked: boolean): void;
  /** All has been written. */
  onSendEnd(): void;
  /** The request will never be whole: its connection must be closed. */
  onSendFailure(kind: UpstreamFailure, message: string): void;
}

export interface BodyWriterOptions {
  readonly socket: Socket;
  readonly head: RequestHead;
  readonly body: UpstreamBody;
}

export class BodyWriter implements UpstreamBodySink {
  readonly #options: BodyWriterOptions;
  readonly #listener: BodyWriterListener;
  #hasBegun = false;
  #isOver = false;
  #isBlocked = false;
  #sentBytes = 0;

  constructor(options: BodyWriterOptions, listener: BodyWriterListener) {
    this.#options = options;
    this.#listener = listener;
  }

  /** Begins. The body may be over when this returns. */
  start(): void {
    this.#options.body.start(this);
    if (!this.#hasBegun && !this.#isOver) setImmediate(sendHead, this);
  }

  /** Nothing of the body has come in this turn. */
  sendHead(): void {
    if (!this.#isOver) this.#begin();
  }

  /** Sends no more. A body of which nothing was sent stays whole, for another backend. */
  stop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.body.stop();
  }

  /** The connection takes more again. */
  onDrain(): void {
    if (!this.#isBlocked) return;
    this.#isBlocked = false;
    this.#options.body.resume();
    this.#listener.onSendBlocked(false);
  }

  onBodyPiece(chunk: Buffer): boolean {
    const { socket, head, body } = this.#options;
    if (chunk.length === 0) return false;
    this.#sentBytes += chunk.length;
    if (head.bodyBytes !== undefined && this.#sentBytes > head.bodyBytes) {
      this.#fail('invalid', 'the body is longer than its Content-Length');
      return false;
    }
    socket.cork();
    this.#begin();
    this.#listener.onBodyBegin();
    if (head.bodyBytes === undefined) socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1');
    let takesMore = socket.write(chunk, (error) => {
      if (hasGoneOut(socket, error)) body.release(chunk);
    });
    if (head.bodyBytes === undefined) takesMore = socket.write('\r\n', 'latin1');
    socket.uncork();
    // Do not wait where everything has gone out at once, however much it was.
    if (socket.writableLength === 0) return false;
    if (takesMore || !socket.writableNeedDrain) return true;
    this.#isBlocked = true;
    body.pause();
    this.#listener.onSendBlocked(true);
    return true;
  }

  onBodyEnd(trailers: readonly string[]): void {
    const { socket, head } = this.#options;
    if (this.#isOver) return;
    if (head.bodyBytes !== undefined && this.#sentBytes !== head.bodyBytes) {
      this.#fail('invalid', 'the body is shorter than its Content-Length');
      return;
    }
    socket.cork();
    this.#begin();
    this.#listener.onBodyBegin();
    if (head.bodyBytes === undefined) socket.write(`0\r\n${trailerText(trailers)}\r\n`, 'latin1');
    socket.uncork();
    this.stop();
    this.#listener.onSendEnd();
  }

  onBodyFailure(reason: string): void {
    this.#fail('aborted', `the body of the request broke off: ${reason}`);
  }

  #begin(): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    this.#listener.onSendBegin();
    this.#options.socket.write(this.#options.head.text, 'latin1');
  }

  #fail(kind: UpstreamFailure, message: string): void {
    if (this.#isOver) return;
    this.stop();
    this.#listener.onSendFailure(kind, message);
  }
}

function sendHead(writer: BodyWriter): void {
  writer.sendHead();
}
