/**
 * What a `TlsStream` writes: one write after the other, since Node ends the process when it is given two at a time, and what comes
 * meanwhile as one.
 */
import type { OnWritten } from './client-socket.js';
import type { NativeRequest, NativeTls, TlsHandle } from './native-tls.js';
import { batchOf, type PendingWrite } from './pending-writes.js';
import { systemError } from './system-error.js';

/** With so much waiting there should be no more for now. */
const HIGH_WATER_BYTES = 65_536;

export interface TlsWriterOwner {
  /** More may be written, where `write` has said no. */
  onDrain(): void;
  /** Our side has ended. */
  onFinish(): void;
  /** Nothing can be written any more. */
  onWriteFailed(error: Error): void;
}

interface Request extends NativeRequest {
  writer?: TlsWriter;
}

export class TlsWriter {
  /** What it was given, in bytes. */
  totalBytes = 0;
  /** What is not out yet, in bytes. */
  unsentBytes = 0;
  /** `onDrain` will be called. */
  needsDrain = false;
  isFinished = false;
  /** Nothing more may be written. */
  isEnding = false;
  readonly #native: NativeTls;
  readonly #owner: TlsWriterOwner;
  /** Null: the connection is closed. */
  #handle: TlsHandle | null;
  #corks = 0;
  #waiting: PendingWrite[] | undefined;
  /** A write is under way, of so many bytes. */
  #isWriting = false;
  #flightBytes = 0;
  #onWritten: OnWritten | undefined;
  #isShuttingDown = false;

  constructor(native: NativeTls, handle: TlsHandle | null, owner: TlsWriterOwner) {
    this.#native = native;
    this.#handle = handle;
    this.#owner = owner;
  }

  /** Our end is being said, and has not been yet. */
  get isShuttingDown(): boolean {
    return this.#isShuttingDown && !this.isFinished;
  }

  /** Whether a write is encrypted when it returns, rather than waiting for another one. */
  get isIdle(): boolean {
    return !this.#isWriting && this.#corks === 0 && this.#waiting === undefined;
  }

  /** @param data text is latin1. @returns false when there should be no more before `onDrain`. */
  write(data: Buffer | string, onWritten: OnWritten | undefined): boolean {
    if (this.isEnding || this.#handle === null) {
      if (onWritten !== undefined) process.nextTick(onWritten, closedError());
      return false;
    }
    this.totalBytes += data.length;
    this.unsentBytes += data.length;
    if (data.length > 0 && this.isIdle) this.#send(this.#handle, data, onWritten);
    else {
      (this.#waiting ??= []).push({ chunk: data, onWritten });
      this.#sendWaiting();
    }
    if (this.unsentBytes < HIGH_WATER_BYTES) return true;
    this.needsDrain = true;
    return false;
  }

  /** Keeps what is written until as many calls of `uncork`. */
  cork(): void {
    this.#corks += 1;
  }

  uncork(): void {
    if (this.#corks === 0) return;
    this.#corks -= 1;
    this.#sendWaiting();
  }

  end(): void {
    if (this.isEnding) return;
    this.isEnding = true;
    this.#corks = 0;
    this.#sendWaiting();
    this.#endWhenOut();
  }

  /** The connection is closed. What waits fails; what is under way does so when OpenSSL is let go. */
  giveUp(error: Error | undefined): void {
    this.#handle = null;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) process.nextTick(batchOf(waiting).onWritten, error ?? closedError());
  }

  // --- from its requests

  onWriteDone(status: number, message?: string): void {
    const onWritten = this.#onWritten;
    this.#isWriting = false;
    this.#onWritten = undefined;
    this.unsentBytes -= this.#flightBytes;
    this.#flightBytes = 0;
    if (status < 0) {
      const error = systemError(status, 'write', message);
      this.#owner.onWriteFailed(error);
      if (onWritten !== undefined) process.nextTick(onWritten, error);
      return;
    }
    this.#sendWaiting();
    if (this.needsDrain && this.unsentBytes === 0 && !this.isEnding && this.#handle !== null) {
      this.needsDrain = false;
      this.#owner.onDrain();
    }
    onWritten?.(null);
    this.#endWhenOut();
  }

  onShutdownDone(): void {
    if (this.#handle === null) return;
    this.isFinished = true;
    this.#owner.onFinish();
  }

  // ---

  #send(handle: TlsHandle, data: Buffer | string, onWritten: OnWritten | undefined): void {
    const request = this.#begin(data.length, onWritten);
    const status =
      typeof data === 'string' ? handle.writeLatin1String(request, data) : handle.writeBuffer(request, data);
    if (status !== 0) process.nextTick(failWrite, this, status);
  }

  #sendWaiting(): void {
    const waiting = this.#waiting;
    const handle = this.#handle;
    if (waiting === undefined || this.#isWriting || this.#corks > 0 || handle === null) return;
    this.#waiting = undefined;
    const [first] = waiting;
    if (waiting.length === 1 && first !== undefined && first.chunk.length > 0) {
      this.#send(handle, first.chunk, first.onWritten);
      return;
    }
    const { bytes, chunks, isAllBuffers, onWritten } = batchOf(waiting);
    if (bytes === 0) {
      // OpenSSL has no records of nothing.
      process.nextTick(onWritten, null);
      return;
    }
    const status = handle.writev(this.#begin(bytes, onWritten), chunks, isAllBuffers);
    if (status !== 0) process.nextTick(failWrite, this, status);
  }

  #begin(bytes: number, onWritten: OnWritten | undefined): NativeRequest {
    const request: Request = new this.#native.WriteRequest();
    request.oncomplete = onWriteComplete;
    request.writer = this;
    this.#isWriting = true;
    this.#flightBytes = bytes;
    this.#onWritten = onWritten;
    return request;
  }

  #endWhenOut(): void {
    const handle = this.#handle;
    if (!this.isEnding || this.#isWriting || this.#isShuttingDown || handle === null) return;
    this.#isShuttingDown = true;
    const request: Request = new this.#native.ShutdownRequest();
    request.oncomplete = onShutdownComplete;
    request.writer = this;
    if (handle.shutdown(request) !== 0) process.nextTick(finishShutdown, this);
  }
}

function onWriteComplete(this: NativeRequest, status: number, _handle: unknown, message?: string): void {
  (this as Request).writer?.onWriteDone(status, message);
}

function onShutdownComplete(this: NativeRequest): void {
  (this as Request).writer?.onShutdownDone();
}

function failWrite(writer: TlsWriter, status: number): void {
  writer.onWriteDone(status);
}

function finishShutdown(writer: TlsWriter): void {
  writer.onShutdownDone();
}

function closedError(): Error {
  return new Error('the connection is closed');
}
