/**
 * What the program uses of a connection that bytes go through: the part that a socket of Node's, a stream and a `TlsStream` have alike.
 */
import type { X509Certificate } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import type { CipherNameAndProtocol } from 'node:tls';

/** As Node has it: what a listener is told differs from one event to the next. */
type Listener = Parameters<EventEmitter['on']>[1];

/** Called when what was written has gone out, or with the reason why it never will. */
export type OnWritten = (error?: Error | null) => void;

/** Bytes both ways. It emits `end`, `drain`, `finish`, `error` and `close`, and `data` where nobody has taken its reads over. */
export interface ByteStream {
  readonly destroyed: boolean;
  /** Why it was destroyed. */
  readonly errored: Error | null;
  /** Whether our side stays open when the other one has ended. */
  allowHalfOpen: boolean;
  /** What has been read and nobody has taken yet, in bytes. */
  readonly readableLength: number;
  readonly readableEnded: boolean;
  readonly writable: boolean;
  /** What is not out yet, in bytes. */
  readonly writableLength: number;
  readonly writableNeedDrain: boolean;
  readonly writableFinished: boolean;
  on(event: string, listener: Listener): unknown;
  once(event: string, listener: Listener): unknown;
  off(event: string, listener: Listener): unknown;
  /** Some of what has been read; null: nothing. */
  read(): unknown;
  pause(): unknown;
  resume(): unknown;
  isPaused(): boolean;
  cork(): void;
  uncork(): void;
  /** @returns false when it should be given no more before `drain`. */
  write(bytes: Buffer, onWritten?: OnWritten): boolean;
  write(text: string, encoding: BufferEncoding, onWritten?: OnWritten): boolean;
  /** Ends our side, when all is out. */
  end(): unknown;
  destroy(error?: Error): unknown;
}

/** A client's connection. */
export interface ClientSocket extends ByteStream {
  /** What was read from it, in bytes; with TLS those inside. */
  readonly bytesRead: number;
  /** What it was given to write. */
  readonly bytesWritten: number;
}

/** What OpenSSL knows of a handshake that is over. Not to be asked when the connection is destroyed. */
export interface TlsSession {
  readonly destroyed: boolean;
  getProtocol(): string | null;
  getCipher(): CipherNameAndProtocol | undefined;
  isSessionReused(): boolean;
  /** The certificate that was served. */
  getX509Certificate(): X509Certificate | undefined;
}

/** A client's connection on TLS, after its handshake. */
export type TlsClientSocket = ClientSocket & TlsSession;
