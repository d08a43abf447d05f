/**
 * One request and its response, between a client (HTTP/1.1 or HTTP/2) and a backend, streaming both ways with
 * back-pressure.
 *
 * Errors before the backend's response head become pages: 502 (no connection, or a broken answer), 504 (out of time), 503
 * (no backend left). After it the client's stream is cut, which is the only way left to say that the body is not whole. A
 * client that goes away aborts the request to the backend: it is sent nowhere else. One that stands still, in sending or in
 * taking, is given up: 408 where that can still be said.
 *
 * What becomes of a request that a backend has failed before the head of its response (`proxy/upstream/attempts.ts`):
 *
 * | | what has failed                                           | the request goes                         | the backend |
 * |-|-----------------------------------------------------------|------------------------------------------|-------------|
 * |1| not sent: no connection, by refusal or time-out           | to one backend after the other           | has failed  |
 * |2| not sent: the connection was closed before, or an HTTP/2  | to another healthy backend, else once    | is well     |
 * | | stream was refused or is behind a GOAWAY                  | more to the same                         |             |
 * |3| sent, idempotent, without body: the connection was closed | once more: to another healthy backend,   | has failed  |
 * | | or reset                                                  | else to any, the same one included       |             |
 * |4| sent, with a body or not idempotent: the same             | nowhere: 502                             | has failed  |
 * |5| sent: out of time                                         | nowhere: 504                             | has failed  |
 * |6| sent: the answer is no valid response                     | nowhere: 502                             | has failed  |
 *
 * So a backend sees a request that is not idempotent once at most, and all backends together see an idempotent one twice at
 * most. In 1 and 2 a body must not have been read. In 3 an interim response (103) is no answer: the client may get another.
 *
 * In 5, nginx asks the next one. Here it does not: the client would wait for two time-outs, the backend may be at work on the
 * request still, and backends that are slow because there is too much to do would get twice as much. In 6 neither does nginx:
 * the next backend runs the same program.
 */
import { describeError } from '../domain/errors.js';
import type { Logger } from '../log/logger.js';
import { Attempts } from './upstream/attempts.js';
import type { Balancer, Lease } from './upstream/balancer.js';
import { requestTrailers, responseHeaders, trailerFields } from './headers/headers.js';
import type { ErrorStatus } from './downstream/pages.js';
import type { ResponseWriter } from './downstream/response-writer.js';
import { RequestBody } from './downstream/request-body.js';
import type { RequestContext } from './downstream/request-context.js';
import {
  UpstreamError,
  type Upstream,
  type UpstreamController,
  type UpstreamEvents,
  type UpstreamFailure,
  type UpstreamRequest,
} from './upstream/upstream.js';

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
  readonly #client: ResponseWriter;
  readonly #body: RequestBody | null;
  /** Set when a backend has failed it. */
  #attempts: Attempts<Upstream> | undefined;
  #lease: Lease<Upstream> | undefined;
  #controller: UpstreamController | undefined;
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
    this.#lease = this.#options.balancer.take();
    if (this.#lease === undefined) {
      this.#finish('failed');
      this.#client.refuse(503);
      return;
    }
    this.#dispatch(this.#lease.target);
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
    if (!this.#client.headersSent && this.#sendAgain(error)) return;
    this.#finish(error.kind === 'invalid' || error.kind === 'aborted' ? 'aborted' : 'failed');
    this.#logFailure(error);
    if (this.#client.headersSent) this.#client.cut();
    else this.#client.refuse(this.#attempts?.isNoneLeft === true ? 503 : STATUS_OF[error.kind]);
  }

  #dispatch(upstream: Upstream): void {
    const { method, path, host, headers } = this.#options.head;
    const body = this.#body;
    const client = this.#client;
    const trailers = body === null ? noTrailers : () => requestTrailers(client.requestTrailers());
    const needsNewConnection = this.#attempts !== undefined;
    // Written out: a spread was 4 % of all CPU time.
    upstream.dispatch({ method, path, host, headers, body, trailers, needsNewConnection }, this);
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

  /** Sends the request again where that can do no harm. @returns false where it is not sent. */
  #sendAgain(error: UpstreamError): boolean {
    const { balancer, head, log } = this.#options;
    const lease = this.#lease;
    if (lease === undefined) return false;
    const body = this.#body;
    this.#attempts ??= new Attempts(balancer);
    const next = this.#attempts.next(lease, error, {
      method: head.method,
      hasBody: body !== null,
      isBodyRead: body !== null && body.readableDidRead,
    });
    if (next === undefined) return false;
    this.#lease = next;
    log.info('request sent again', {
      id: this.#context.id,
      backend: lease.target.name,
      next: next.target.name,
      error: error.message,
    });
    this.#dispatch(next.target);
    return true;
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
    this.#lease?.release(outcome);
    // If no upstream engine took the body, destroy it here.
    this.#body?.destroy();
    this.#options.onOver();
  }

  #logFailure(error: UpstreamError): void {
    const { url, host, id } = this.#context;
    this.#options.log.err('backend failed', {
      id,
      host,
      url,
      backend: this.#lease?.target.name,
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
  malformed: 502,
  timeout: 504,
  invalid: 400,
  aborted: 502,
};
