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
import type { Logger } from '../log.js';
import type { Balancer, Place } from './balancer.js';
import { responseHeaders } from './headers.js';
import { lingerOnClose } from './linger.js';
import type { ErrorStatus } from './pages.js';
import { RequestBody } from './request-body.js';
import { sendErrorPage } from './send.js';
import type { RequestContext } from './request-context.js';
import { UpstreamError, type UpstreamController, type UpstreamEvents, type UpstreamRequest } from './upstream.js';

/** RFC 9110 §9.2.2. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);
