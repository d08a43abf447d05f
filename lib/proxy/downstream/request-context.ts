/**
 * One request on its way through: what every part of the pipeline needs to know of it.
 */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ClientConnection } from './client-connection.js';
import type { ClientRequest, ClientResponse } from './client-message.js';
import type { ResponseWriter } from './response-writer.js';

/** A request to change the protocol of its connection. */
export interface UpgradeRequest {
  /** The protocols of the field `Upgrade` that may be passed on. */
  readonly protocol: string;
  readonly socket: Socket;
  readonly response: ServerResponse;
  /** What the client has sent behind its request. */
  readonly head: Buffer;
}

/** Is told of requests. */
export interface RequestObserver {
  /** Each request, also one that is refused by its server, before anything is answered. */
  follow(context: RequestContext): void;
}

export interface RequestContext {
  /** 16 hex digits: on error pages and in the log. */
  readonly id: string;
  readonly request: ClientRequest;
  readonly response: ClientResponse;
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
  /** Fields as they came, flat, HTTP/2's pseudo fields taken out. */
  readonly headers: readonly string[];
  /** `1.0`, `1.1` or `2.0`. */
  readonly httpVersion: string;
  readonly hasBody: boolean;
  readonly startedAtMs: number;
  /** Set where the client asks to change the protocol, and may. */
  readonly upgrade?: UpgradeRequest;
}
