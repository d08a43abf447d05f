/**
 * One request on its way through: what every part of the pipeline needs to know of it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { ConnectionInfo } from '../tls/connection-info.js';
import type { Destination } from './destination.js';

/** Node's HTTP/2 compatibility API has the same shape; what differs is in `http2.ts`. */
export type ClientRequest = IncomingMessage | Http2ServerRequest;
export type ClientResponse = ServerResponse | Http2ServerResponse;

export interface RequestContext {
  /** 16 hex digits: on error pages, in the log, and in `X-Request-Id` to the backend. */
  readonly id: string;
  readonly request: ClientRequest;
  readonly response: ClientResponse;
  readonly connection: ConnectionInfo;
  readonly destination: Destination;
  /** Header fields as they came, flat, HTTP/2's pseudo fields taken out. */
  readonly headers: readonly string[];
  readonly startedAtMs: number;
}
