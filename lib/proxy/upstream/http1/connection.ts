/**
 * One connection to a backend on HTTP/1.1, and the request that is on it: one at a time, no pipelining.
 *
 * A connection is used again only after a response that was whole, to a request that was whole, with nothing behind it. A
 * connection that has carried a HEAD is never used again: some backends send a body in answer to it.
 */
import type { OnReadOpts, Socket } from 'node:net';
import { describeError } from '../../../domain/errors.js';
import { BodyWriter, type BodyWriterListener } from './body-writer.js';
import { outliveWrites } from '../../../net/outlive-writes.js';
import { TakeWatch } from '../../../net/take-watch.js';
import { readOptions, type ReadListener } from '../../http1/read-buffers.js';
import { MalformedMessage } from '../../http1/malformed.js';
import type { Tick } from '../../../base/tick-clock.js';
import type { Http1Request } from './request.js';
import type { ResponseHead } from './response-head.js';
import { ResponseParser, type ResponseListener } from './response-parser.js';
import type { UpstreamController, UpstreamFailure } from '../upstream.js';

/** The pool, as a connection sees it: it sets the deadlines, and is told when the connection is free or closed. */
export interface Http1ConnectionOwner {
  /** The tick at which a wait that begins now is over, for each kind of wait. */
  readonly connectDeadline: Tick;
  readonly headersDeadline: Tick;
  /** When to look whether the backend, which must not stand still for as long, takes something of a request. */
  readonly lookDeadline: Tick;
  readonly bodyDeadline: Tick;
  /** The same for a connection without a request. @returns undefined: the connection is not to be kept. */
  idleDeadline(keepAliveMs: number | undefined): Tick | undefined;
  /** The connection stands. */
  onReady(connection: Http1Connection): void;
  /** The connection can serve another request. */
  onFree(connection: Http1Connection): void;
  /** The connection has closed. */
  onClosed(connection: Http1Connection): void;
}

type Phase = 'connecting' | 'idle' | 'sending' | 'waiting' | 'receiving' | 'closed';

export class Http1Connection
  implements UpstreamController, ReadListener, ResponseListener, BodyWriterListener
{
  /** The tick at which `expire` is due. */
  deadline: Tick;
  readonly #owner: Http1ConnectionOwner;
  readonly #socket: Socket;
  readonly #reader = new ResponseParser(this);
  #phase: Phase = 'connecting';
  #current: Http1Request | undefined;
  #sender: BodyWriter | undefined;
  #head: ResponseHead | undefined;
  /** The protocol has been changed by it. */
  #upgraded: ResponseHead | undefined;
  /** Some of the request has been written. */
  #hasBegun = false;
  /** All of it has. */
  #isSent = false;
  #isSendBlocked = false;
  /** While the backend has to take some of the request. */
  #takeWatch: TakeWatch | undefined;
  #isPaused = false;
  #isRetired = false;
  /** The bytes that are being read are in the shared buffer. */
  #isShared = true;
  #error: Error | undefined;

  /**
   * @param connect begins a connection that reads as it is told.
   * @param readyEvent of the socket: `connect` or `secureConnect`.
   * @param request the first request.
   */
  constructor(
    owner: Http1ConnectionOwner,
    connect: (onread: OnReadOpts) => Socket,
    readyEvent: string,
    request: Http1Request,
  ) {
    this.#owner = owner;
    this.#current = request;
    this.deadline = owner.connectDeadline;
    const socket = connect(readOptions(this));
    this.#socket = socket;
    socket.once(readyEvent, () => {
      owner.onReady(this);
      this.#phase = 'idle';
      this.#begin(request);
    });
    // On TLS what has come is lost with a failed write.
    if (readyEvent === 'connect') outliveWrites(socket, this.#stopSending, this.#onEnd);
    socket.on('drain', this.#onDrain);
    socket.on('end', this.#onEnd);
    socket.on('error', this.#onSocketError);
    socket.on('close', this.#onClose);
  }

  /** The address of the other end, once there is a connection; undefined on a unix socket. */
  get peer(): string | undefined {
    return this.#socket.remoteAddress;
  }

  /** Sends a request. @returns false where the connection has just been closed: nothing has been done. */
  take(request: Http1Request): boolean {
    if (this.#phase !== 'idle' || !this.#socket.writable) return false;
    this.#begin(request);
    return true;
  }

  /** The deadline has passed. */
  expire(): void {
    const phase = this.#phase;
    if ((phase === 'sending' || phase === 'waiting') && this.#look()) return;
    const request = this.#leave();
    this.destroy();
    if (phase === 'connecting') request?.expire('backend-connect-timeout', 'no connection to the backend');
    else if (phase === 'receiving')
      request?.expire('backend-body-timeout', 'the backend sends no more of its response');
    else request?.expire('backend-headers-timeout', 'the backend does not answer');
  }

  /** Serves no further request: closes when it is idle. */
  retire(): void {
    this.#isRetired = true;
    if (this.#phase === 'idle') this.destroy();
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
    this.#waitForMore();
    this.#socket.resume();
  }

  abort(reason: Error): void {
    if (this.#current === undefined || this.#hasBegun) {
      this.#fail('aborted', describeError(reason), reason);
      return;
    }
    // The connection can serve the next request, but not at once: that may have been given up as well, and so on.
    const request = this.#leave();
    this.#phase = 'idle';
    process.nextTick(() => {
      if (this.#phase === 'idle') this.#free(undefined);
    });
    request?.fail('aborted', describeError(reason), reason);
  }

  onRead(bytes: Buffer, isShared: boolean): void {
    this.#isShared = isShared;
    if (this.#current !== undefined && !this.#hasBegun) {
      this.#fail('broken', 'unsolicited response from the backend');
      return;
    }
    // Who says something has seen the request.
    if (this.#current !== undefined) this.#current.sent = true;
    let readBytes = 0;
    try {
      readBytes = this.#reader.read(bytes);
    } catch (thrown) {
      this.#fail('malformed', `the backend's answer is broken: ${describeError(thrown)}`, thrown);
      return;
    }
    if (this.#upgraded !== undefined) {
      this.#handOver(this.#upgraded, Buffer.from(bytes.subarray(readBytes)));
      return;
    }
    if (this.#phase !== 'idle') {
      this.#waitForMore();
      return;
    }
    // No request asked for bytes behind a response: the connection cannot be trusted.
    if (readBytes < bytes.length) this.destroy();
    else this.#free(this.#head?.keepAliveMs);
  }

  onInterimHead({ status, fields }: ResponseHead): void {
    this.#current?.events.onInformation(status, fields);
  }

  onUpgradeHead(head: ResponseHead): void {
    if (!this.#isSent)
      throw new MalformedMessage('it switches protocols (101) before the end of the request');
    this.#upgraded = head;
  }

  onResponseHead(head: ResponseHead): void {
    this.#head = head;
    this.#phase = 'receiving';
    this.#current?.events.onHead(head.status, head.reason, head.fields);
  }

  onBodyPiece(piece: Buffer): void {
    this.#current?.events.onData(piece, this.#isShared);
  }

  onResponseEnd(trailers: readonly string[]): void {
    const head = this.#head;
    const isReusable =
      head?.isKept === true &&
      this.#isSent &&
      this.#current?.message.method !== 'HEAD' &&
      this.#phase === 'receiving';
    const request = this.#leave();
    if (isReusable) this.#phase = 'idle';
    else this.destroy();
    request?.events.onEnd(trailers);
  }

  onSendBegin(): void {
    this.#hasBegun = true;
  }

  onBodyBegin(): void {
    if (this.#current !== undefined) this.#current.sent = true;
  }

  onSendBlocked(isBlocked: boolean): void {
    this.#isSendBlocked = isBlocked;
    this.#waitForMore();
    if (this.#phase !== 'sending') return;
    if (isBlocked) this.#waitForTaking();
    else this.deadline = Infinity;
  }

  onSendEnd(): void {
    this.#isSent = true;
    this.#sender = undefined;
    this.#waitForMore();
    if (this.#phase !== 'sending') return;
    this.#phase = 'waiting';
    if (this.#socket.writableLength > 0) this.#waitForTaking();
    else this.#waitForAnswer();
  }

  onSendFailure(kind: UpstreamFailure, message: string): void {
    this.#fail(kind, message);
  }

  /** For more of a response that has begun. While its request comes and is taken, the backend may be waiting itself: for the client. */
  #waitForMore(): void {
    if (this.#phase !== 'receiving' || this.#isPaused) return;
    this.deadline = this.#isSent || this.#isSendBlocked ? this.#owner.bodyDeadline : Infinity;
  }

  #waitForTaking(): void {
    this.#takeWatch = new TakeWatch(this.#socket);
    this.deadline = this.#owner.lookDeadline;
  }

  #waitForAnswer(): void {
    this.#takeWatch = undefined;
    this.deadline = this.#owner.headersDeadline;
  }

  /** @returns whether the backend takes what waits for it, however slowly: it has more time. */
  #look(): boolean {
    const watch = this.#takeWatch;
    if (watch === undefined) return false;
    // Its time to answer begins with the end of the request.
    if (this.#phase === 'waiting' && this.#socket.writableLength === 0) this.#waitForAnswer();
    else if (watch.look()) return false;
    else this.deadline = this.#owner.lookDeadline;
    return true;
  }

  #begin(request: Http1Request): void {
    this.#current = request;
    this.#phase = 'sending';
    this.deadline = Infinity;
    this.#hasBegun = false;
    this.#isSent = false;
    this.#isSendBlocked = false;
    request.connection = this;
    request.events.onStart(request);
    // The request may have been given up in `onStart`.
    if (this.#current !== request) return;
    const { message, head } = request;
    const { body } = message;
    this.#reader.start(message.method, message.upgrade !== undefined);
    if (body === null) {
      request.sent = true;
      this.#hasBegun = true;
      this.#socket.write(head.text, 'latin1');
      this.onSendEnd();
    } else {
      const sender = new BodyWriter({ socket: this.#socket, head, body }, this);
      this.#sender = sender;
      sender.start();
    }
  }

  /** The backend has closed in the middle of an upload. @returns whether its answer may be there. */
  readonly #stopSending = (): boolean => {
    const phase = this.#phase;
    const hasBody = this.#current !== undefined && this.#current.message.body !== null;
    if (!hasBody || (phase !== 'sending' && phase !== 'waiting' && phase !== 'receiving')) return false;
    this.#sender?.stop();
    this.#sender = undefined;
    this.#isSendBlocked = true;
    if (phase === 'receiving') this.#waitForMore();
    else this.#waitForAnswer();
    return true;
  };

  readonly #onDrain = (): void => {
    this.#sender?.onDrain();
  };

  readonly #onSocketError = (error: Error): void => {
    this.#error = error;
  };

  readonly #onEnd = (): void => {
    if (this.#reader.end()) return;
    if (this.#current === undefined) this.destroy();
    else
      this.#fail(
        this.#phase === 'connecting' ? 'connect' : 'broken',
        'the backend has closed the connection',
      );
  };

  readonly #onClose = (): void => {
    const message = this.#error === undefined ? 'the connection was closed' : describeError(this.#error);
    this.#fail(this.#phase === 'connecting' ? 'connect' : 'broken', message, this.#error);
    this.#owner.onClosed(this);
  };

  /** Gives the connection, which has another protocol now, to whoever has sent the request. */
  #handOver({ reason, fields }: ResponseHead, early: Buffer): void {
    const socket = this.#socket;
    const request = this.#leave();
    this.#phase = 'closed';
    socket.off('drain', this.#onDrain).off('end', this.#onEnd).off('error', this.#onSocketError);
    socket.off('close', this.#onClose);
    this.#owner.onClosed(this);
    const { events } = request ?? {};
    if (events?.onUpgrade === undefined) socket.on('error', () => undefined).destroy();
    else events.onUpgrade({ socket, statusMessage: reason, headers: fields, early });
  }

  /** Gives the connection back to the pool, or closes it where the pool is not to keep it. */
  #free(keepAliveMs: number | undefined): void {
    const deadline = this.#owner.idleDeadline(keepAliveMs);
    if (deadline === undefined || this.#isRetired) {
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
    const request = this.#current;
    this.#current = undefined;
    this.#sender?.stop();
    this.#sender = undefined;
    this.#reader.stop();
    if (request !== undefined) request.connection = undefined;
    return request;
  }

  #fail(kind: UpstreamFailure, message: string, cause?: unknown): void {
    const request = this.#leave();
    this.destroy();
    request?.fail(kind, message, cause);
  }
}
