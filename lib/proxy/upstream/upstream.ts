/**
 * What an HTTP engine towards a backend looks like: HTTP/1.1 is our own, HTTP/2 goes through Node's client. Header fields and
 * trailers are flat lists (`[name, value, …]`), those of the hop already taken out.
 */
import type { Socket } from 'node:net';
import { ProxyError, type ErrorCode } from '../../domain/errors.js';
import type { TimeoutName } from '../../domain/timeout-name.js';
import type { FixedFields } from '../headers/fixed-fields.js';

/** The most interim responses (100, 103) before a response: a backend could send them for ever. */
export const MAX_INTERIM_HEADS = 32;

/** Takes a body. `onBodyEnd` or `onBodyFailure` comes last, and once. */
export interface UpstreamBodySink {
  /** @returns whether the piece is still needed, until `release`: else its memory is used again. */
  onBodyPiece(piece: Buffer): boolean;
  /** @param trailers flat; empty where there are none. */
  onBodyEnd(trailers: readonly string[]): void;
  /** It will never be whole. */
  onBodyFailure(reason: string): void;
}

/** The body of a request. It flows while a sink takes it. */
export interface UpstreamBody {
  /** Gives it to a sink, which may call the others at once. */
  start(sink: UpstreamBodySink): void;
  pause(): void;
  resume(): void;
  /** Takes it from its sink: if nothing has been given, another one may start. */
  stop(): void;
  /** A piece that was still needed is not any more. */
  release(piece: Buffer): void;
}

export interface UpstreamRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** `Host` on HTTP/1.1, `:authority` on HTTP/2. */
  readonly host: string | undefined;
  /** Without `Host`. */
  readonly headers: readonly string[];
  /** In lower case: fields that must never be indexed on HTTP/2 (RFC 7541 §6.2.3). */
  readonly neverIndexedNames?: readonly string[] | undefined;
  /** Further fields, behind `headers`. None of them says anything of the body. */
  readonly added?: FixedFields | undefined;
  /** Null: the request has none. */
  readonly body: UpstreamBody | null;
  /** On HTTP/1.1: the protocols that the connection may change to, as in the field `Upgrade`. */
  readonly upgrade?: string | undefined;
  /**
   * On HTTP/1.1: do not use a kept connection. Set for a request that is sent again: the kept ones are often closed together.
   */
  readonly needsNewConnection?: boolean;
  /** On HTTP/1.1, asked where it has waited for a connection: nobody wants the response any more, and it is to have none. */
  isGivenUp?(): boolean;
}

/** Handed over with `onStart`: how a response is slowed down, and given up. */
export interface UpstreamController {
  pause(): void;
  resume(): void;
  abort(reason: Error): void;
}

export type UpstreamFailure =
  /** No connection: refused, unreachable, TLS not trusted. */
  | 'connect'
  /** Out of time: connecting, waiting for the head, between two pieces of the body. */
  | 'timeout'
  /** The backend closed or reset the connection, or the HTTP/2 stream. */
  | 'broken'
  /** What the backend sent is no valid response, or there was a protocol error on HTTP/2. */
  | 'malformed'
  /** The request cannot be put on the wire. */
  | 'invalid'
  /** `abort` was called. */
  | 'aborted';

/** Those that are the backend's fault. */
export type BackendFailure = Exclude<UpstreamFailure, 'invalid' | 'aborted'>;

/** The error code of each failure: the origin of an error follows from it. */
export const CODE_OF: Readonly<Record<UpstreamFailure, ErrorCode>> = {
  connect: 'ERR_BACKEND_CONNECT',
  timeout: 'ERR_BACKEND_TIMEOUT',
  broken: 'ERR_BACKEND_BROKEN',
  malformed: 'ERR_BACKEND_MALFORMED',
  invalid: 'ERR_REQUEST_INVALID',
  aborted: 'ERR_REQUEST_ABORTED',
};

export interface UpstreamErrorOptions extends ErrorOptions {
  readonly timeout?: TimeoutName | undefined;
}

/** Why there is no response, or no whole one. */
export class UpstreamError extends ProxyError {
  readonly kind: UpstreamFailure;
  /** Whether the backend can have begun with the request: one that was never sent, on HTTP/1.1 also a head without its body, may go to another. */
  readonly sent: boolean;
  /** Of the kind `timeout`: which one. */
  readonly timeout: TimeoutName | undefined;

  constructor(kind: UpstreamFailure, sent: boolean, message: string, options: UpstreamErrorOptions = {}) {
    super(CODE_OF[kind], message, options);
    this.name = 'UpstreamError';
    this.kind = kind;
    this.sent = sent;
    this.timeout = options.timeout;
  }
}

/** A backend is out of time. @param what it has not done. */
export function outOfTime(timeout: TimeoutName, sent: boolean, what: string): UpstreamError {
  return new UpstreamError('timeout', sent, `--${timeout}: ${what}`, { timeout });
}

/** A request that cannot be put on the wire. */
export function invalidRequest(message: string): UpstreamError {
  return new UpstreamError('invalid', false, message);
}

/** A connection to a backend that has changed its protocol. It is the receiver's now. */
export interface UpstreamTunnel {
  readonly socket: Socket;
  readonly statusMessage: string;
  /** Of the 101; flat, as they came. */
  readonly headers: readonly string[];
  /** What the backend has sent behind its response. */
  readonly early: Buffer;
}

/** The course of one response. `onEnd`, `onUpgrade` or `onError` comes last, and once. */
export interface UpstreamEvents {
  onStart(controller: UpstreamController): void;
  /** An informational response (103 Early Hints, for example), which comes before the head. */
  onInformation(status: number, headers: readonly string[]): void;
  /**
   * @param isAll the response ends with it: on HTTP/2 that is part of the message, gRPC's failures are such.
   * @param neverIndexedNames in lower case: fields that must never be indexed on HTTP/2 (RFC 7541 §6.2.3).
   */
  onHead(
    status: number,
    statusMessage: string | undefined,
    headers: readonly string[],
    isAll?: boolean,
    neverIndexedNames?: readonly string[],
  ): void;
  /** @param isShared the chunk is overwritten afterwards: what is kept of it must be copied. */
  onData(chunk: Buffer, isShared: boolean): void;
  onEnd(trailers: readonly string[]): void;
  /** The backend has changed the protocol: only for a request that allowed it. */
  onUpgrade?(tunnel: UpstreamTunnel): void;
  onError(error: UpstreamError): void;
}

export interface Upstream {
  /** As in a log line: `http://127.0.0.1:8080`. */
  readonly name: string;
  /** Whether the protocol of the backend has upgrades. */
  readonly takesUpgrades?: boolean;
  /** Its connections, those of them included that no request uses now. */
  readonly connections?: { readonly open: number; readonly idle: number };
  dispatch(request: UpstreamRequest, events: UpstreamEvents): void;
  /** Ends when the requests under way have ended. */
  close(): Promise<void>;
}
