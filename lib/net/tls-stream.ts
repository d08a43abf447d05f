/**
 * A client's connection on TLS, built on Node's native handles as `TLSSocket` is, without the three streams of that.
 *
 * A `TLSSocket` is a stream on a socket, which is a stream again, made for everything that Node can do with streams. The program wants
 * little of that, and all the rest costs it a fifth of a handshake. What is here behaves as Node's does, where the program looks: when
 * `write` asks for a pause, in which order callbacks and events come, what becomes of ends and errors. It differs where that was a trap:
 * an error closes the connection always, and is thrown at nobody where nobody listens for it.
 *
 * OpenSSL must not be let go while it is calling us: that is done when the connection below has closed, which is never within a call.
 */
import { X509Certificate } from 'node:crypto';
import type { CipherNameAndProtocol, SecureContext } from 'node:tls';
import type { OnWritten, TlsClientSocket } from './client-socket.js';
import { LeanEmitter } from './lean-emitter.js';
import type { NativeTls, TlsHandle } from './native-tls.js';
import type { Carried, RawConnection } from './raw-connection.js';
import type { SocketReader } from './socket-reader.js';
import { systemError } from './system-error.js';
import { TlsReader, type TlsReaderOwner } from './tls-reader.js';
import { TlsWriter, type TlsWriterOwner } from './tls-writer.js';

/** libuv's number for the end of what is read. */
const EOF = -4095;

const STREAM = Symbol('stream');

interface Handle extends TlsHandle {
  [STREAM]?: TlsStream;
}

/** Whom a handshake is for. */
export interface HandshakeListener {
  /**
   * It is done. OpenSSL is calling.
   *
   * @param alpn what ALPN has chosen; undefined: nothing.
   */
  onSecured(socket: TlsClientSocket, alpn: string | undefined): void;
  /** It has failed. The listener closes the connection. */
  onFailed(error: Error): void;
}

/** Our side of a handshake. */
export interface ServerSide {
  readonly context: SecureContext;
  /** The protocols to choose from, as `protocolList` makes them; undefined: ALPN is not answered. */
  readonly alpn: Buffer | undefined;
  readonly listener: HandshakeListener;
}

export class TlsStream
  extends LeanEmitter
  implements TlsClientSocket, Carried, TlsReaderOwner, TlsWriterOwner
{
  /** Null: the connection is closed, or being closed. */
  _handle: TlsHandle | null = null;
  allowHalfOpen = false;
  destroyed = false;
  errored: Error | null = null;
  readonly #raw: RawConnection;
  readonly #native: NativeTls;
  readonly #reader: TlsReader;
  readonly #writer: TlsWriter;
  /** Until the handshake is done. */
  #listener: HandshakeListener | undefined;
  /** To be let go. */
  #openssl: TlsHandle | undefined;

  /** @param raw is this one's from now on. Its handshake begins with `receive`. */
  constructor(raw: RawConnection, native: NativeTls, { context, alpn, listener }: ServerSide) {
    super({
      close: undefined,
      error: undefined,
      drain: undefined,
      end: undefined,
      data: undefined,
      finish: undefined,
    });
    this.#raw = raw;
    this.#native = native;
    this.#listener = listener;
    raw.carry(this);
    const below = raw._handle;
    const handle: Handle | null = below && native.serve(below, context);
    this.#reader = new TlsReader(native, handle, this);
    this.#writer = new TlsWriter(native, handle, this);
    if (handle === null || below === null) return;
    this._handle = handle;
    this.#openssl = handle;
    handle._parent = below;
    handle[STREAM] = this;
    handle.onhandshakestart = ignore;
    handle.onhandshakedone = onHandshakeDone;
    handle.onerror = onError;
    handle.onread = onRead;
    if (alpn !== undefined) handle.setALPNProtocols(alpn);
    handle.readStart();
  }

  /** Takes what was read of the connection before: the ClientHello. */
  receive(bytes: Buffer): void {
    this._handle?.receive(bytes);
  }

  // --- of the handshake

  getProtocol(): string | null {
    return this._handle?.getProtocol() ?? null;
  }

  getCipher(): CipherNameAndProtocol | undefined {
    return this._handle?.getCipher();
  }

  isSessionReused(): boolean {
    return this._handle?.isSessionReused() ?? false;
  }

  getX509Certificate(): X509Certificate | undefined {
    const raw = this._handle?.getCertificate()?.raw;
    return raw && new X509Certificate(raw);
  }

  // --- reading

  get bytesRead(): number {
    return this.#reader.totalBytes;
  }

  get readableLength(): number {
    return this.#reader.waitingBytes;
  }

  get readableEnded(): boolean {
    return this.#reader.hasEnded;
  }

  /** Reads into memory of the reader's from now on. What was read before is to be taken with `read` first. */
  readInto(reader: SocketReader): void {
    this.#reader.readInto(reader);
  }

  read(): Buffer | null {
    return this.#reader.read();
  }

  pause(): this {
    this.#reader.pause();
    return this;
  }

  resume(): this {
    this.#reader.resume();
    return this;
  }

  isPaused(): boolean {
    return this.#reader.isPaused;
  }

  // --- writing

  get writable(): boolean {
    return !this.#writer.isEnding && !this.destroyed;
  }

  get writableLength(): number {
    return this.#writer.unsentBytes;
  }

  get writableNeedDrain(): boolean {
    return this.#writer.needsDrain;
  }

  get writableFinished(): boolean {
    return this.#writer.isFinished;
  }

  get bytesWritten(): number {
    return this.#writer.totalBytes;
  }

  /** Whether a write is encrypted when it returns, rather than waiting for another one. */
  get isIdle(): boolean {
    return this.#writer.isIdle;
  }

  write(bytes: Buffer, onWritten?: OnWritten): boolean;
  write(text: string, encoding: BufferEncoding, onWritten?: OnWritten): boolean;
  write(chunk: Buffer | string, second?: BufferEncoding | OnWritten, third?: OnWritten): boolean {
    if (typeof second !== 'string') return this.#writer.write(chunk, second);
    const isOther = typeof chunk === 'string' && second !== 'latin1';
    return this.#writer.write(isOther ? Buffer.from(chunk, second) : chunk, third);
  }

  cork(): void {
    this.#writer.cork();
  }

  uncork(): void {
    this.#writer.uncork();
  }

  end(): this {
    this.#writer.end();
    return this;
  }

  destroy(error?: Error): this {
    if (this.destroyed) return this;
    this.#giveUp(error);
    this.#raw.destroy();
    return this;
  }

  // --- from the handle

  onHandshakeDone(): void {
    const listener = this.#listener;
    this.#listener = undefined;
    const alpn = this._handle?.getALPNNegotiatedProtocol();
    listener?.onSecured(this, typeof alpn === 'string' ? alpn : undefined);
  }

  onError(error: Error): void {
    if (this.#listener === undefined) this.destroy(error);
    else this.#listener.onFailed(error);
  }

  /** @returns where the next piece goes; undefined: where this one went. */
  onRead(bytes: ArrayBuffer | undefined): Buffer | undefined {
    const count = this.#native.readCount;
    if (count > 0 && !this.destroyed) return this.#reader.onRead(count, bytes);
    if (count === EOF) this.#onEof();
    else if (count < 0) this.onError(systemError(count, 'read'));
    return undefined;
  }

  // --- from its reader

  onData(piece: Buffer): void {
    this.emit('data', piece);
  }

  onEnd(): void {
    this.emit('end');
    if (this.writableFinished) this.destroy();
    else if (!this.allowHalfOpen) process.nextTick(endStream, this);
  }

  // --- from its writer

  onDrain(): void {
    this.emit('drain');
  }

  onFinish(): void {
    this.emit('finish');
    if (this.readableEnded) this.destroy();
  }

  onWriteFailed(error: Error): void {
    this.destroy(error);
  }

  // --- from the connection below

  get isShuttingDown(): boolean {
    return this.#writer.isShuttingDown;
  }

  onCarrierClosing(): void {
    this.#giveUp(undefined);
  }

  onCarrierClosed(): void {
    this.#giveUp(undefined);
    this.#openssl?.destroySSL();
    this.#openssl = undefined;
    this.emit('close', this.errored !== null);
  }

  // ---

  #onEof(): void {
    // Without its handshake there is nothing to be done with it.
    if (this.#listener === undefined) this.#reader.onEof();
    else this.destroy();
  }

  /** Nothing is read or written any more. */
  #giveUp(error: Error | undefined): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.errored = error ?? null;
    if (this._handle !== null) this._handle.onread = ignore;
    this._handle = null;
    this.#listener = undefined;
    this.#reader.giveUp();
    this.#writer.giveUp(error);
    if (error !== undefined) process.nextTick(emitError, this, error);
  }
}

function onHandshakeDone(this: Handle): void {
  this[STREAM]?.onHandshakeDone();
}

function onError(this: Handle, error: Error): void {
  this[STREAM]?.onError(error);
}

function onRead(this: Handle, bytes?: ArrayBuffer): Buffer | undefined {
  return this[STREAM]?.onRead(bytes);
}

function endStream(stream: TlsStream): void {
  stream.end();
}

function emitError(stream: TlsStream, error: Error): void {
  // Closing is all that there is to be done, and that is done.
  if (stream._events['error'] !== undefined) stream.emit('error', error);
}

function ignore(): undefined {
  return undefined;
}
