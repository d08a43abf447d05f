/**
 * One request and its response, between a client (HTTP/1.1 or HTTP/2) and a backend, streaming both ways with
 * back-pressure.
 *
 * Errors before the backend's response head become pages: 502 (no connection, or a broken answer), 504 (out of time), 503
 * (no backend left). After it the client's stream is cut, which is the only way left to say that the body is not whole. A
 * client that goes away aborts the request to the backend.
 *
 * A request that no backend has seen goes to another one. A backend may also close an idle connection in the very moment in
 * which a request is sent on it: an idempotent request without a body is sent once more when one was closed unanswered.
 */
import type { Readable } from 'node:stream';
import type { Logger } from '../log.js';
import type { Balancer, Place } from './balancer.js';
import { responseHeaders } from './headers.js';
import type { ErrorStatus } from './pages.js';
import type { RequestContext } from './request-context.js';
import {
  UpstreamError,
  type Upstream,
  type UpstreamController,
  type UpstreamEvents,
  type UpstreamRequest,
} from './upstream.js';

/** RFC 9110 §9.2.2. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

export interface ExchangeOptions {
  readonly balancer: Balancer<Upstream>;
  readonly log: Logger;
  /** The head of the request as the backend gets it: without fields of the client's hop, with what we add. */
  readonly request: Omit<UpstreamRequest, 'body' | 'trailers'>;
  /** Fields that are added to the response, in place of the backend's of the same name. */
  readonly extraHeaders: readonly string[];
  /** Answers with an error page. */
  sendError(status: ErrorStatus): void;
}
