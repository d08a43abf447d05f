/**
 * A request to a backend on HTTP/1.1 on its way: from its dispatch, while it waits for a connection and while it is on one, to its
 * last event.
 *
 * It is the controller that its sender gets: what the sender asks for goes to the connection that the request is on.
 */
import type { RequestHead } from './request-head.js';
import type { TimeoutName } from '../../../domain/timeout-name.js';
import {
  outOfTime,
  UpstreamError,
  type UpstreamController,
  type UpstreamEvents,
  type UpstreamFailure,
  type UpstreamRequest,
} from '../upstream.js';

export class Http1Request implements UpstreamController {
  readonly message: UpstreamRequest;
  readonly head: RequestHead;
  readonly events: UpstreamEvents;
  /** Set while the request is on a connection. */
  connection: UpstreamController | undefined;
  /** See `UpstreamError`: it has been sent whole, or some of its body has, or the backend has said something. */
  sent = false;

  constructor(message: UpstreamRequest, head: RequestHead, events: UpstreamEvents) {
    this.message = message;
    this.head = head;
    this.events = events;
  }

  pause(): void {
    this.connection?.pause();
  }

  resume(): void {
    this.connection?.resume();
  }

  abort(reason: Error): void {
    this.connection?.abort(reason);
  }

  fail(kind: UpstreamFailure, message: string, cause?: unknown): void {
    this.events.onError(new UpstreamError(kind, this.sent, message, { cause }));
  }

  /** @param what the backend has not done. */
  expire(timeout: TimeoutName, what: string): void {
    this.events.onError(outOfTime(timeout, this.sent, what));
  }
}
