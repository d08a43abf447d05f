/**
 * One request and its response, between a client (HTTP/1.1 or HTTP/2) and a backend, streaming both ways with
 * back-pressure.
 *
 * Errors before the backend's response head become pages: 502 (no connection, or a broken answer), 504 (out of time), 503
 * (no backend left). After it the client's stream is cut, which is the only way left to say that the body is not whole. A
 * client that goes away aborts the request to the backend. One that stands still, in sending or in taking, is given up: 408
 * where that can still be said.
 *
 * A request that no backend has seen goes to another one. A backend may also close an idle connection in the very moment in
 * which a request is sent on it: an idempotent request without a body is sent once more when one was closed unanswered.
 */
import { describeError } from '../domain/errors.js';
import type { Logger } from '../log.js';
import type { Balancer, Place } from './balancer.js';
import { requestTrailers, responseHeaders, trailerFields } from './headers.js';
import type { ErrorStatus } from './pages.js';
import type { ClientSide } from './client-side.js';
import { RequestBody } from './request-body.js';
import type { RequestContext } from './request-context.js';
import {
  UpstreamError,
  type Upstream,
  type UpstreamController,
  type UpstreamEvents,
  type UpstreamFailure,
  type UpstreamRequest,
} from './upstream.js';

/** RFC 9110 §9.2.2. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

const NO_TRAILERS: readonly string[] = [];

export interface ExchangeOptions {
  readonly balancer: Balancer<Upstream>;
  readonly log: Logger;
  /** The head of the request as the backend gets it: without fields of the client's hop, with what we add. */
  readonly head: Omit<UpstreamRequest, 'body' | 'trailers'>;
  /** How long the client may stand still. */
  readonly bodyTimeoutMs: number;
  /** Called once, when there is nothing more to do for the request. */
  onOver(): void;
  /** Rewrites the backend's response fields, which come without those of its hop. */
  responseHeaders(fields: string[]): string[];
}

export class Exchange implements UpstreamEvents {
  readonly #context: RequestContext;
  readonly #options: ExchangeOptions;
  readonly #client: ClientSide;
  readonly #body: RequestBody | null;
  /** Those that have failed it. */
  #tried: Set<Upstream> | undefined;
  #place: Place<Upstream> | undefined;
  #controller: UpstreamController | undefined;
  /** A stale connection has cost this request a try already. */
  #triedAgain = false;
  #hasBegunBody = false;
  #isOver = false;
  #isHearingDrain = false;
  /** Runs while the client has to take what was written. */
  #takeTimer: NodeJS.Timeout | undefined;

  constructor(context: RequestContext, options: ExchangeOptions) {
    const { client } = context;
    this.#context = context;
    this.#client = client;
    this.#options = options;
    this.#body = context.hasBody
      ? new RequestBody(context.request, {
          timeoutMs: options.bodyTimeoutMs,
          onWanted: () => client.invite(),
          onStalled: () => this.giveUp('the client sends no more of its body'),
        })
      : null;
    client.onClose(() => {
      clearTimeout(this.#takeTimer);
      this.#abandon();
    });
  }

  /** Sends the request to the backend whose turn it is. */
  send(): void {
    this.#place = this.#options.balancer.take(this.#tried);
    if (this.#place === undefined) {
      this.#finish('failed');
      this.#client.refuse(this.#tried === undefined ? 503 : 502);
      return;
    }
    this.#dispatch(this.#place.target);
  }

  onStart(controller: UpstreamController): void {
    this.#controller = controller;
    if (this.#isOver) controller.abort(new UpstreamError('aborted', true, 'the client has gone'));
  }

  onInformation(status: number, headers: readonly string[]): void {
    if (this.#isOver) return;
    try {
      this.#client.inform(status, headers);
    } catch {
      // Node refuses hints that it does not understand; nobody misses them.
    }
  }

  onHead(status: number, statusMessage: string | undefined, headers: readonly string[], isAll = false): void {
    if (this.#isOver) return;
    try {
      const fields = this.#options.responseHeaders(responseHeaders(headers));
      this.#client.head(status, statusMessage, fields, isAll);
    } catch (thrown) {
      this.#breakOff(thrown);
      return;
    }
    // The head goes out with the first piece of the body if that has come with it, else by itself.
    process.nextTick(flushHead, this);
  }

  /** Sends the head if nothing of the body has come. */
  flush(): void {
    if (!this.#hasBegunBody) this.#client.flush();
  }

  onData(chunk: Buffer): void {
    this.#hasBegunBody = true;
    if (this.#isOver || this.#client.write(chunk)) return;
    this.#controller?.pause();
    this.#waitForTaking();
    if (this.#isHearingDrain) return;
    this.#isHearingDrain = true;
    this.#client.onDrain(() => {
      clearTimeout(this.#takeTimer);
      this.#controller?.resume();
    });
  }

  onEnd(trailers: readonly string[]): void {
    this.#hasBegunBody = true;
    if (this.#isOver) return;
    this.#finish('ok');
    try {
      this.#client.end(trailerFields(trailers));
      this.#waitForTaking();
    } catch (thrown) {
      this.#breakOff(thrown);
    }
  }

  onError(error: UpstreamError): void {
    if (this.#isOver) return;
    if (!this.#client.headersSent && this.#mayGoElsewhere(error)) return;
    this.#finish(error.kind === 'invalid' || error.kind === 'aborted' ? 'aborted' : 'failed');
    this.#logFailure(error);
    if (this.#client.headersSent) this.#client.cut();
    else this.#client.refuse(this.#isNoneLeft ? 503 : STATUS_OF[error.kind]);
  }

  #dispatch(upstream: Upstream): void {
    const { method, path, host, headers } = this.#options.head;
    const body = this.#body;
    const client = this.#client;
    const trailers = body === null ? noTrailers : () => requestTrailers(client.requestTrailers());
    // Written out: a spread was 4 % of all CPU time.
    upstream.dispatch({ method, path, host, headers, body, trailers }, this);
  }

  /** The backend's response is one that Node does not send. */
  #breakOff(thrown: unknown): void {
    const error = new UpstreamError('broken', true, describeError(thrown), { cause: thrown });
    if (!this.#isOver) this.#finish('failed');
    this.#controller?.abort(error);
    this.#logFailure(error);
    if (this.#client.headersSent) this.#client.cut();
    else this.#client.refuse(502);
  }

  /** There were several, and none takes it. */
  get #isNoneLeft(): boolean {
    const tried = this.#tried?.size ?? 0;
    return tried > 1 && tried === this.#options.balancer.targets.length;
  }

  /** Sends the request once more where that can do no harm. */
  #mayGoElsewhere(error: UpstreamError): boolean {
    const { head, log } = this.#options;
    const body = this.#body;
    const place = this.#place;
    if (place === undefined) return false;
    const isUnread = body === null || !body.readableDidRead;
    const isRepeatable = error.sent ? body === null && IDEMPOTENT.has(head.method) : isUnread;
    if (error.kind === 'broken' && isRepeatable && !this.#triedAgain) {
      this.#triedAgain = true;
      log.debug('request sent again', {
        id: this.#context.id,
        backend: place.target.name,
        error: error.message,
      });
      this.#dispatch(place.target);
      return true;
    }
    if (!error.sent && error.kind !== 'invalid' && isUnread) {
      place.leave('failed');
      this.#tried ??= new Set();
      this.#tried.add(place.target);
      if (this.#tried.size < this.#options.balancer.targets.length) {
        log.info('backend failed, the next one is asked', {
          id: this.#context.id,
          backend: place.target.name,
          error: error.message,
        });
        this.send();
        return true;
      }
    }
    return false;
  }

  /** The client has gone: nobody to answer. */
  #abandon(reason = 'the client has gone'): void {
    if (this.#isOver) return;
    this.#finish('aborted');
    this.#controller?.abort(new UpstreamError('aborted', true, reason));
  }

  #waitForTaking(): void {
    clearTimeout(this.#takeTimer);
    this.#takeTimer = setTimeout(onTakeTimeout, this.#options.bodyTimeoutMs, this).unref();
  }

  /** The client stands still. */
  giveUp(reason: string): void {
    const { id, host, url } = this.#context;
    this.#options.log.info('client given up', { id, host, url, reason });
    this.#abandon(reason);
    if (this.#client.headersSent) this.#client.cut();
    else this.#client.refuse(408);
  }

  #finish(outcome: 'ok' | 'failed' | 'aborted'): void {
    this.#isOver = true;
    this.#place?.leave(outcome);
    // An engine that has not taken it lets go of nothing.
    this.#body?.destroy();
    this.#options.onOver();
  }

  #logFailure(error: UpstreamError): void {
    const { url, host, id } = this.#context;
    this.#options.log.err('backend failed', {
      id,
      host,
      url,
      backend: this.#place?.target.name,
      error: error.message,
    });
  }
}

function noTrailers(): readonly string[] {
  return NO_TRAILERS;
}

function flushHead(exchange: Exchange): void {
  exchange.flush();
}

function onTakeTimeout(exchange: Exchange): void {
  exchange.giveUp('the client takes no more of the response');
}

const STATUS_OF: Readonly<Record<UpstreamFailure, ErrorStatus>> = {
  connect: 502,
  broken: 502,
  timeout: 504,
  invalid: 400,
  aborted: 502,
};
