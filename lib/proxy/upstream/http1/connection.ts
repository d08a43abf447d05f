/**
 * One connection to a backend on HTTP/1.1, and the request that is on it: one at a time, no pipelining.
 *
 * What comes from the backend is read into a buffer that all connections share, and parsed there: Node would allocate 64 KiB for
 * every read. Nothing is left in it when the next connection reads, so what is passed on is copied; while much comes, a
 * connection reads into buffers of its own, which it passes on as they are.
 *
 * A connection is used again only after a response that was whole, to a request that was whole, with nothing behind it. One
 * that has carried a HEAD is not, for some backends send a body with that all the same.
 */
import type { OnReadOpts, Socket } from 'node:net';
import { describeError } from '../../../domain/errors.js';
import { BodyWriter, type BodySenderListener } from './body-writer.js';
import type { RequestHead } from './request-head.js';
import type { ResponseHead } from './response-head.js';
import { ResponseParser, type ResponseListener } from './response-parser.js';
import {
  UpstreamError,
  type UpstreamController,
  type UpstreamEvents,
  type UpstreamFailure,
  type UpstreamRequest,
} from '../upstream.js';

const READ_BYTES = 65_536;
/** From here on a read is passed on as it is: to copy it costs more than another buffer. */
const LARGE_READ_BYTES = 16_384;
/** Only where a read is one step. (On Windows it is begun with a buffer and ended some time later.) */
const SHARED = process.platform === 'win32' ? undefined : Buffer.allocUnsafeSlow(READ_BYTES);

/** Ticks of the pool's clock; Infinity where nothing is waited for. */
type Tick = number;

/** What a connection wants of its pool. */
export interface LineOwner {
  /** When these will be over. */
  readonly connectDeadline: Tick;
  readonly headersDeadline: Tick;
  readonly bodyDeadline: Tick;
  /** @returns undefined where the connection is not to be kept. */
  idleDeadline(keepAliveMs: number | undefined): Tick | undefined;
  /** It can serve another request. */
  onFree(line: Http1Connection): void;
  /** It is there no more. */
  onClosed(line: Http1Connection): void;
}

/** A request on its way, from its dispatch to its last event. */
export class Http1Request implements UpstreamController {
  readonly request: UpstreamRequest;
  readonly head: RequestHead;
  readonly events: UpstreamEvents;
  /** Set while it is on a connection. */
  line: Http1Connection | undefined;
  sent = false;

  constructor(request: UpstreamRequest, head: RequestHead, events: UpstreamEvents) {
    this.request = request;
    this.head = head;
    this.events = events;
  }

  pause(): void {
    this.line?.pause();
  }

  resume(): void {
    this.line?.resume();
  }

  abort(reason: Error): void {
    this.line?.abort(reason);
  }

  fail(kind: UpstreamFailure, message: string, cause?: unknown): void {
    this.events.onError(new UpstreamError(kind, this.sent, message, { cause }));
  }
}

type Phase = 'connecting' | 'idle' | 'sending' | 'waiting' | 'receiving' | 'closed';

export class Http1Connection implements ResponseListener, BodySenderListener {
  /** When it is given up. */
  deadline: Tick;
  readonly #owner: LineOwner;
  readonly #socket: Socket;
  readonly #reader = new ResponseParser(this);
  #phase: Phase = 'connecting';
  #course: Http1Request | undefined;
  #sender: BodyWriter | undefined;
  #head: ResponseHead | undefined;
  /** All of the request has been written. */
  #isSent = false;
  #isPaused = false;
  /** What is being read is in the shared buffer. */
  #isShared = true;
  #error: Error | undefined;

  /**
   * @param connect begins a connection that reads as it is told.
   * @param readyEvent of the socket: `connect` or `secureConnect`.
   * @param course the first request.
   */
  constructor(
    owner: LineOwner,
    connect: (onread: OnReadOpts) => Socket,
    readyEvent: string,
    course: Http1Request,
  ) {
    this.#owner = owner;
    this.#course = course;
    this.deadline = owner.connectDeadline;
    let next = SHARED ?? Buffer.allocUnsafeSlow(READ_BYTES);
    const socket = connect({
      buffer: () => next,
      callback: (bytes, buffer) => {
        this.#isShared = buffer === SHARED;
        const wantsOwn = bytes >= LARGE_READ_BYTES || SHARED === undefined;
        next = wantsOwn ? Buffer.allocUnsafeSlow(READ_BYTES) : SHARED;
        this.#onRead((buffer as Buffer).subarray(0, bytes));
        return true;
      },
    });
    this.#socket = socket;
    socket.once(readyEvent, () => {
      this.#phase = 'idle';
      this.#begin(course);
    });
    socket.on('drain', () => this.#sender?.onDrain());
    socket.on('end', () => this.#onEnd());
    socket.on('error', (error) => (this.#error = error));
    socket.on('close', () => this.#onClose());
  }

  /** Sends a request. @returns false where the connection has just been closed: nothing has been done. */
  take(course: Http1Request): boolean {
    if (this.#phase !== 'idle' || !this.#socket.writable) return false;
    this.#begin(course);
    return true;
  }

  /** The deadline has passed. */
  expire(): void {
    if (this.#phase === 'connecting') this.#fail('timeout', 'Connect Timeout: no connection to the backend');
    else if (this.#phase === 'receiving')
      this.#fail('timeout', 'Body Timeout: the backend sends no more of its response');
    else if (this.#course !== undefined)
      this.#fail('timeout', 'Headers Timeout: the backend does not answer');
    else this.destroy();
  }

  destroy(): void {
    this.#phase = 'closed';
    this.#socket.destroy();
  }

  pause(): void {
    this.#isPaused = true;
    // A client that is slow to take the response is not the backend's fault.
    this.deadline = Infinity;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.deadline = this.#owner.bodyDeadline;
    this.#socket.resume();
  }

  abort(reason: Error): void {
    if (this.#course?.sent !== false) {
      this.#fail('aborted', describeError(reason), reason);
      return;
    }
    // Nothing of it is on the connection. Not at once: the next request may have been given up as well, and so on.
    const course = this.#leave();
    this.#phase = 'idle';
    process.nextTick(() => {
      if (this.#phase === 'idle') this.#free(undefined);
    });
    course?.fail('aborted', describeError(reason), reason);
  }

  onInterimHead({ status, fields }: ResponseHead): void {
    this.#course?.events.onInformation(status, fields);
  }

  onResponseHead(head: ResponseHead): void {
    this.#head = head;
    this.#phase = 'receiving';
    this.#course?.events.onHead(head.status, head.reason, head.fields);
  }

  onBodyPiece(piece: Buffer): void {
    this.#course?.events.onData(this.#isShared ? Buffer.from(piece) : piece);
  }

  onResponseEnd(trailers: readonly string[]): void {
    const head = this.#head;
    const isReusable =
      head?.isKept === true &&
      this.#isSent &&
      this.#course?.request.method !== 'HEAD' &&
      this.#phase === 'receiving';
    const course = this.#leave();
    if (isReusable) this.#phase = 'idle';
    else this.destroy();
    course?.events.onEnd(trailers);
  }

  onSendBegin(): void {
    if (this.#course !== undefined) this.#course.sent = true;
  }

  onSendBlocked(isBlocked: boolean): void {
    if (this.#phase === 'sending') this.deadline = isBlocked ? this.#owner.headersDeadline : Infinity;
  }

  onSendEnd(): void {
    this.#isSent = true;
    this.#sender = undefined;
    if (this.#phase !== 'sending') return;
    this.#phase = 'waiting';
    this.deadline = this.#owner.headersDeadline;
  }

  onSendFailure(kind: UpstreamFailure, message: string): void {
    this.#fail(kind, message);
  }

  #begin(course: Http1Request): void {
    this.#course = course;
    this.#phase = 'sending';
    this.deadline = Infinity;
    this.#isSent = false;
    course.line = this;
    course.events.onStart(course);
    // It may have been given up in there.
    if (this.#course !== course) return;
    const { request, head } = course;
    const { body } = request;
    this.#reader.start(request.method);
    if (body === null) {
      course.sent = true;
      this.#socket.write(head.text, 'latin1');
      this.onSendEnd();
    } else {
      this.#sender = new BodyWriter(
        { socket: this.#socket, head, body, trailers: () => request.trailers() },
        this,
      );
    }
  }

  #onRead(bytes: Buffer): void {
    if (this.#course?.sent === false) {
      this.#fail('broken', 'the backend has answered what it was not asked');
      return;
    }
    let readBytes = 0;
    try {
      readBytes = this.#reader.read(bytes);
    } catch (thrown) {
      this.#fail('malformed', `the backend's answer is broken: ${describeError(thrown)}`, thrown);
      return;
    }
    if (this.#phase !== 'idle') {
      if (this.#phase === 'receiving' && !this.#isPaused) this.deadline = this.#owner.bodyDeadline;
      return;
    }
    // Nobody has asked for what comes behind a response.
    if (readBytes < bytes.length) this.destroy();
    else this.#free(this.#head?.keepAliveMs);
  }

  #onEnd(): void {
    if (this.#reader.end()) return;
    if (this.#course === undefined) this.destroy();
    else
      this.#fail(
        this.#phase === 'connecting' ? 'connect' : 'broken',
        'the backend has closed the connection',
      );
  }

  #onClose(): void {
    const message = this.#error === undefined ? 'the connection was closed' : describeError(this.#error);
    this.#fail(this.#phase === 'connecting' ? 'connect' : 'broken', message, this.#error);
    this.#owner.onClosed(this);
  }

  /** Gives the connection to the pool. */
  #free(keepAliveMs: number | undefined): void {
    const deadline = this.#owner.idleDeadline(keepAliveMs);
    if (deadline === undefined) {
      this.destroy();
      return;
    }
    if (this.#isPaused) {
      this.#isPaused = false;
      this.#socket.resume();
    }
    this.#phase = 'idle';
    this.deadline = deadline;
    this.#owner.onFree(this);
  }

  /** Takes the request off the connection. */
  #leave(): Http1Request | undefined {
    const course = this.#course;
    this.#course = undefined;
    this.#sender?.stop();
    this.#sender = undefined;
    this.#reader.stop();
    if (course !== undefined) course.line = undefined;
    return course;
  }

  #fail(kind: UpstreamFailure, message: string, cause?: unknown): void {
    const course = this.#leave();
    this.destroy();
    course?.fail(kind, message, cause);
  }
}
