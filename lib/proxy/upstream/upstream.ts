/**
 * What an HTTP engine towards a backend looks like: HTTP/1.1 is our own, HTTP/2 goes through Node's client. Header fields and
 * trailers are flat lists (`[name, value, …]`), those of the hop already taken out.
 */
import type { Readable } from 'node:stream';
import type { BackendOrigin } from '../../config/backend-origin.js';
import { ProxyError, type ErrorCode } from '../../domain/errors.js';
import type { Destination } from '../../net/names/names.js';

export interface UpstreamRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** `Host` on HTTP/1.1, `:authority` on HTTP/2. */
  readonly host: string | undefined;
  /** Without `Host`. */
  readonly headers: readonly string[];
  /** Null: the request has none. */
  readonly body: Readable | null;
  /** Asked for after the end of the body; empty where there are none. */
  trailers(): readonly string[];
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

/** The error code of each failure: the origin of an error follows from it. */
export const CODE_OF: Readonly<Record<UpstreamFailure, ErrorCode>> = {
  connect: 'ERR_BACKEND_CONNECT',
  timeout: 'ERR_BACKEND_TIMEOUT',
  broken: 'ERR_BACKEND_BROKEN',
  malformed: 'ERR_BACKEND_MALFORMED',
  invalid: 'ERR_REQUEST_INVALID',
  aborted: 'ERR_REQUEST_ABORTED',
};

/** Why there is no response, or no whole one. */
export class UpstreamError extends ProxyError {
  readonly kind: UpstreamFailure;
  /** Whether the backend can have seen any of the request: a request that was never sent may go to another one. */
  readonly sent: boolean;

  constructor(kind: UpstreamFailure, sent: boolean, message: string, options?: ErrorOptions) {
    super(CODE_OF[kind], message, options);
    this.name = 'UpstreamError';
    this.kind = kind;
    this.sent = sent;
  }
}

/** A request that cannot be put on the wire. */
export function invalidRequest(message: string): UpstreamError {
  return new UpstreamError('invalid', false, message);
}

/** A response that is not valid HTTP, or is ambiguous. */
export function malformedResponse(message: string): UpstreamError {
  return new UpstreamError('malformed', true, message);
}

/** The course of one response. `onEnd` or `onError` comes last, and once. */
export interface UpstreamEvents {
  onStart(controller: UpstreamController): void;
  /** An informational response (103 Early Hints, for example), which comes before the head. */
  onInformation(status: number, headers: readonly string[]): void;
  /** @param isAll the response ends with it: on HTTP/2 that is part of the message, gRPC's failures are such. */
  onHead(
    status: number,
    statusMessage: string | undefined,
    headers: readonly string[],
    isAll?: boolean,
  ): void;
  onData(chunk: Buffer): void;
  onEnd(trailers: readonly string[]): void;
  onError(error: UpstreamError): void;
}

/** Where connections for upgrades are made. */
export interface UpgradeOrigin extends BackendOrigin {
  /** With the look-up of its name: to be passed to `connect` as a whole. */
  readonly address: Destination;
}

export interface Upstream {
  /** As in a log line: `http://127.0.0.1:8080`. */
  readonly name: string;
  /** Absent: the protocol of the backend has no upgrades. */
  readonly upgradeOrigin?: UpgradeOrigin;
  dispatch(request: UpstreamRequest, events: UpstreamEvents): void;
  /** Ends when the requests under way have ended. */
  close(): Promise<void>;
}
