/**
 * One request and its response, between a client (HTTP/1.1 or HTTP/2) and a backend, streaming both ways with
 * back-pressure.
 *
 * A failure before the backend's response head goes to the next backend or becomes a page (`proxy/upstream/attempts.ts` has the
 * table). After it the client's stream is cut, which is the only way left to say that the body is not whole. A client that goes
 * away aborts the request to the backend: it is sent nowhere else. One that stands still, in sending or in taking, is given up:
 * 408 where that can still be said.
 */
import { describeError } from '../domain/errors.js';
import type { Logger } from '../log/logger.js';
import { TakeWatch } from '../net/take-watch.js';
import { openTunnel } from './upgrade.js';
import { Attempts, type Step } from './upstream/attempts.js';
import type { Balancer, Lease } from './upstream/balancer.js';
import { responseHeaders, trailerFields } from './headers/headers.js';
import type { ResponseWriter } from './downstream/response-writer.js';
import type { RequestBody } from './downstream/request-body.js';
import type { RequestContext } from './downstream/request-context.js';
import { REQUEST_ID } from './downstream/request-id.js';
import type { Splices } from './tunnel/splice.js';
import {
  UpstreamError,
  type BackendFailure,
  type Upstream,
  type UpstreamController,
  type UpstreamEvents,
  type UpstreamRequest,
  type UpstreamTunnel,
} from './upstream/upstream.js';

export interface ExchangeOptions {
  readonly balancer: Balancer<Upstream>;
  readonly log: Logger;
  /** The head of the request as the backend gets it: without fields of the client's hop, with what we add. */
  readonly head: Omit<UpstreamRequest, 'body'>;
  /** How long the client may stand still. */
  readonly bodyTimeoutMs: number;
  /** For `Attempts`. */
  readonly restartWaitMs: number;
  /** For a connection that changes its protocol. */
  readonly splices: Splices;
  readonly tunnelIdleTimeoutMs: number;
  /** See `Attempts`. */
  readonly onBackendFailure?: ((kind: BackendFailure) => void) | undefined;
  /** Called once, when there is nothing more to do for the request. */
  onOver(): void;
  /** Rewrites the backend's response fields, which come without those of its hop. */
  responseHeaders: (fields: string[]) => string[];
}

export class Exchange implements UpstreamEvents {
  readonly #context: RequestContext;
  readonly #options: ExchangeOptions;
  readonly #client: ResponseWriter;
  readonly #body: RequestBody | null;
  /** Set once a backend has failed the request. */
  #attempts: Attempts<Upstream> | undefined;
  #lease: Lease<Upstream> | undefined;
  #controller: UpstreamController | undefined;
  #isOver = false;
  #isHearingDrain = false;
  /** Of the response, when the client was last found to send nothing. */
  #bytesAtSilence = 0;
  /** Runs while the client has to take what was written: when it is next looked at whether it does. */
  #takeTimer: NodeJS.Timeout | undefined;
  #takeWatch: TakeWatch | undefined;

  constructor(context: RequestContext, options: ExchangeOptions) {
    const { client } = context;
    this.#context = context;
    this.#client = client;
    this.#options = options;
    this.#body = context.body;
    this.#body?.watch({
      timeoutMs: options.bodyTimeoutMs,
      onStalled: () => this.#onSilentClient(),
    });
    client.onClose(() => {
      clearTimeout(this.#takeTimer);
      this.#abandon();
    });
  }

  /** Sends the request to the backend whose turn it is. */
  send(): void {
    const lease = this.#options.balancer.take(this.#unfit);
    if (lease === undefined) this.#follow(this.#attemptsSoFar().first());
    else this.#dispatch(lease);
  }

  onStart(controller: UpstreamController): void {
    this.#controller = controller;
    if (this.#isOver) controller.abort(new UpstreamError('aborted', true, 'the client has gone'));
  }

  onInformation(status: number, headers: readonly string[]): void {
    // 100 is a matter of each hop, and a change of protocol is told otherwise.
    if (status === 100 || status === 101 || this.#isOver) return;
    this.#client.inform(status, responseHeaders(headers, status));
  }

  onHead(
    status: number,
    statusMessage: string | undefined,
    headers: readonly string[],
    isAll = false,
    neverIndexedNames?: readonly string[],
  ): void {
    if (this.#isOver) return;
    this.#context.trace?.answered(status);
    try {
      const fields = this.#options.responseHeaders(responseHeaders(headers, status));
      fields.push(REQUEST_ID, this.#client.id);
      this.#client.head(status, statusMessage, fields, isAll, neverIndexedNames);
      this.#client.by = 'backend';
    } catch (thrown) {
      this.#breakOff(thrown);
      return;
    }
    // Its end may be hours away.
    this.#lease?.answered();
  }

  onData(chunk: Buffer, isShared: boolean): void {
    if (this.#isOver || this.#client.write(chunk, isShared)) return;
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
    if (this.#isOver) return;
    this.#lease?.release('ok');
    this.#finish();
    try {
      if (!this.#client.end(trailerFields(trailers))) this.#waitForTaking();
    } catch (thrown) {
      this.#breakOff(thrown);
    }
  }

  onUpgrade(tunnel: UpstreamTunnel): void {
    const { upgrade } = this.#context;
    if (this.#isOver || upgrade === undefined) {
      discardTunnel(tunnel);
      return;
    }
    if (upgrade.isAnsweredBy?.(tunnel.headers) === false) {
      discardTunnel(tunnel);
      this.#fail(
        new UpstreamError('malformed', true, 'its 101 (Switching Protocols) is not that of a WebSocket'),
      );
      return;
    }
    const lease = this.#lease;
    const { trace } = this.#context;
    trace?.answered(101);
    this.#finish();
    this.#client.by = 'backend';
    const { splices, log, tunnelIdleTimeoutMs, responseHeaders: rewrite } = this.#options;
    try {
      const tunnelBytes = openTunnel(this.#context, upgrade, tunnel, {
        splices,
        log,
        idleTimeoutMs: tunnelIdleTimeoutMs,
        responseHeaders: rewrite,
        // A backend that has upgraded a connection is healthy.
        onEnd: () => lease?.release('ok'),
      });
      if (trace !== undefined) trace.tunnelBytes = tunnelBytes;
      lease?.confirm();
    } catch (thrown) {
      discardTunnel(tunnel);
      this.#breakOff(thrown);
    }
  }

  onError(error: UpstreamError): void {
    if (this.#isOver) return;
    this.#client.timeout = error.timeout;
    this.#fail(error);
  }

  /** Backends that cannot change the protocol, where the client wants that and another one can. */
  get #unfit(): ReadonlySet<Upstream> | undefined {
    if (this.#context.upgrade === undefined) return undefined;
    const { targets } = this.#options.balancer;
    const unfit = targets.filter(({ takesUpgrades }) => takesUpgrades !== true);
    return unfit.length < targets.length ? new Set(unfit) : undefined;
  }

  #dispatch(lease: Lease<Upstream>): void {
    this.#lease = lease;
    const { method, path, host, headers, neverIndexedNames, added } = this.#options.head;
    const body = this.#body;
    const { upgrade: wanted } = this.#context;
    const upgrade = lease.target.takesUpgrades === true ? wanted?.protocol : undefined;
    if (upgrade === undefined && wanted?.isRequired === true) {
      lease.release('aborted');
      this.#finish();
      this.#client.refuse(501);
      return;
    }
    this.#context.trace?.sent(lease.target.name);
    const needsNewConnection = this.#attempts !== undefined || upgrade !== undefined;
    // Each member is written out: a spread cost 4 % of all CPU time.
    lease.target.dispatch(
      { method, path, host, headers, neverIndexedNames, added, body, upgrade, needsNewConnection },
      this,
    );
  }

  /** Node refuses to send the backend's response. */
  #breakOff(thrown: unknown): void {
    const error = new UpstreamError('malformed', true, describeError(thrown), { cause: thrown });
    this.#fail(error);
    this.#controller?.abort(error);
  }

  #fail(error: UpstreamError): void {
    const lease = this.#lease;
    if (lease === undefined) return;
    const body = this.#body;
    const step = this.#attemptsSoFar().next(lease, error, {
      method: this.#options.head.method,
      hasBody: body !== null,
      isBodyRead: body !== null && body.hasBegun,
      isUploading: body !== null && !body.isPassedOn,
      hasResponse: this.#client.headersSent,
    });
    this.#follow(step);
  }

  #follow(step: Step<Upstream>): void {
    if (step.kind !== 'end') {
      // What one backend was late for ends nothing: whatever comes of the request comes of the next.
      this.#client.timeout = undefined;
      this.#lease = step.lease;
      this.#attempts?.proceed(step, (lease) => this.#dispatch(lease));
      return;
    }
    if (!this.#isOver) this.#finish();
    this.#client.fail(step.status);
  }

  #attemptsSoFar(): Attempts<Upstream> {
    const { host, url } = this.#context;
    const { id } = this.#client;
    const { balancer, log, restartWaitMs, onBackendFailure } = this.#options;
    this.#attempts ??= new Attempts({
      balancer,
      log,
      what: 'request',
      fields: { id, host, url },
      restartWaitMs,
      unfit: this.#unfit,
      onFailure: onBackendFailure,
    });
    return this.#attempts;
  }

  /** The client has gone: there is nobody to answer. */
  #abandon(reason = 'the client has gone'): void {
    if (this.#isOver) return;
    this.#lease?.release('aborted');
    this.#finish();
    this.#controller?.abort(new UpstreamError('aborted', true, reason));
  }

  /** Who takes a response that goes on may be silent in a request that is still open: a stream of events, or a call both ways. */
  #onSilentClient(): boolean {
    const { bodyBytes } = this.#client;
    const hasGoneOn = bodyBytes > this.#bytesAtSilence;
    this.#bytesAtSilence = bodyBytes;
    if (!hasGoneOn) this.giveUp('the client sends no more of its body');
    return hasGoneOn;
  }

  #waitForTaking(): void {
    clearTimeout(this.#takeTimer);
    this.#takeWatch = undefined;
    this.#takeTimer = setTimeout(look, TakeWatch.everyMs(this.#options.bodyTimeoutMs), this).unref();
  }

  /** The client may be slow, but must take something. */
  lookAtTaking(): void {
    this.#takeWatch ??= new TakeWatch(this.#context.connection.socket);
    if (this.#takeWatch.look(this.#client.waitingBytes))
      this.giveUp('the client takes no more of the response');
    else this.#takeTimer?.refresh();
  }

  /** The client stands still. */
  giveUp(reason: string): void {
    const { host, url } = this.#context;
    const { id } = this.#client;
    this.#client.timeout = 'body-timeout';
    this.#options.log.info('client given up', { id, host, url, reason, timeout: 'body-timeout' });
    this.#abandon(reason);
    this.#client.fail(408);
  }

  #finish(): void {
    this.#isOver = true;
    this.#attempts?.stopWaiting();
    // What nobody takes any more must not keep the client.
    this.#body?.discard();
    this.#options.onOver();
  }
}

function discardTunnel({ socket }: UpstreamTunnel): void {
  socket.on('error', () => undefined).destroy();
}

function look(exchange: Exchange): void {
  exchange.lookAtTaking();
}
