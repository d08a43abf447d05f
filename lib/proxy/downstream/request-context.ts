/**
 * One request on its way through: what every part of the pipeline needs to know of it.
 */
import type { ByteStream } from '../../net/client-socket.js';
import type { ClientConnection } from './client-connection.js';
import type { RequestBody } from './request-body.js';
import type { RequestTrace } from './request-trace.js';
import type { ResponseWriter } from './response-writer.js';

/** The client's side of a connection that has changed its protocol. */
export interface Tunnel {
  readonly stream: ByteStream;
  /** What the client has sent behind its request. */
  readonly early: readonly Buffer[];
  /** Resets it. Absent: it is all that its connection is for, which is to be reset. */
  reset?(): void;
}

/** A request to change the protocol of its connection. */
export interface UpgradeRequest {
  /** The protocols of the field `Upgrade` that may be passed on. */
  readonly protocol: string;
  /** Without the change the request means nothing: it cannot go to a backend whose protocol has no upgrades. */
  readonly isRequired?: boolean;
  /** Whether the fields of a 101 are an answer to this request. Absent: that is for the client to see. */
  isAnsweredBy?(fields: readonly string[]): boolean;
  /**
   * Answers that the protocol is changed. From then on the response's writer only tells when the tunnel has closed.
   *
   * @param fields flat, with neither `Connection` nor `Upgrade`.
   * @param protocol what it is changed to.
   */
  open(statusMessage: string, fields: readonly string[], protocol: string): Tunnel;
}

/** Is told of requests. */
export interface RequestObserver {
  /** Each request, also one that is refused by its server, before anything is answered. */
  follow(context: RequestContext): void;
}

export interface RequestContext {
  readonly client: ResponseWriter;
  readonly connection: ClientConnection;
  readonly method: string;
  /** The target as it came. */
  readonly url: string;
  /**
   * Whom the request is for. At first as the client sent it: `:authority`, or else the `Host` field, undefined where it is missing or
   * given twice. The handler replaces it by what it has read (`destinationOf`): the route is chosen by that, and backends get it.
   */
  host: string | undefined;
  /** Fields as they came, flat, HTTP/2's pseudo fields taken out, with one field of cookies at most. */
  readonly headers: readonly string[];
  /** In lower case: those of them that must never be indexed on HTTP/2 (RFC 7541 §6.2.3). Absent: the client's protocol has no word for it. */
  readonly neverIndexedNames?: readonly string[] | undefined;
  /** `1.0`, `1.1` or `2.0`. */
  readonly httpVersion: string;
  /** Null: the request has none. */
  readonly body: RequestBody | null;
  readonly startedAtMs: number;
  /** Its way to the backends, for the access log; undefined: nobody wants to know. */
  trace: RequestTrace | undefined;
  /** Set where the client asks to change the protocol, and may. */
  readonly upgrade?: UpgradeRequest | undefined;
}
