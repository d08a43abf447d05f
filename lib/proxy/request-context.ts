/**
 * One request on its way through: what every part of the pipeline needs to know of it.
 */
import type { ClientConnection } from './client-connection.js';
import type { ClientRequest, ClientResponse } from './client-message.js';
import type { ClientSide } from './client-side.js';

export interface RequestContext {
  /** 16 hex digits: on error pages and in the log. */
  readonly id: string;
  readonly request: ClientRequest;
  readonly response: ClientResponse;
  readonly client: ClientSide;
  readonly connection: ClientConnection;
  readonly method: string;
  /** The target as it came. */
  readonly url: string;
  /** Whom it is for: `:authority`, or else the `Host` field, as it came. Undefined where it is missing or given twice. */
  readonly host: string | undefined;
  /** Fields as they came, flat, HTTP/2's pseudo fields taken out. */
  readonly headers: readonly string[];
  /** `1.0`, `1.1` or `2.0`. */
  readonly httpVersion: string;
  readonly hasBody: boolean;
  readonly startedAtMs: number;
}
