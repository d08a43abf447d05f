/**
 * A request to change the protocol of a connection (RFC 9110 §7.8): WebSocket, or any other.
 *
 * It goes to a backend on a connection of its own, and to another one by the table of `upstream/attempts.ts`: until a response
 * has come, nothing of what the client sends behind its request is passed on. When the backend answers 101 the two connections
 * are spliced, each direction ending by itself, until both have ended or nothing has passed for a while; a reload leaves them
 * alone. Any other answer is passed on as an ordinary response, after which the client's connection ends.
 *
 * HTTP/2 over clear text is never asked for: what went through such a connection would be seen by nobody here.
 */
import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import type { BackendOrigin } from '../config/backend-origin.js';
import type { LimitSettings } from '../config/settings.js';
import { describeError } from '../domain/errors.js';
import type { Logger } from '../log/logger.js';
import { Attempts, type AttemptFailure, type Step } from './upstream/attempts.js';
import type { Balancer, Lease } from './upstream/balancer.js';
import { releaseSocket } from './downstream/bare-response.js';
import { fieldLines } from './headers/fields.js';
import { responseHeaders, trailerFields } from './headers/headers.js';
import type { RequestContext, UpgradeRequest } from './downstream/request-context.js';
import { resetSocket, type SpliceEnd, type Splices } from './tunnel/splice.js';
import type { Upstream, UpstreamFailure, UpstreamRequest } from './upstream/upstream.js';

export interface UpgradeOptions {
  readonly upgrade: UpgradeRequest;
  readonly balancer: Balancer<Upstream>;
  readonly log: Logger;
  readonly limits: LimitSettings;
  readonly splices: Splices;
  readonly head: Omit<UpstreamRequest, 'body' | 'trailers'>;
  /** Called once, when the backend has been chosen for good. */
  onOver(): void;
  /** Rewrites the response fields, which come without those of the backend's hop. */
  responseHeaders(fields: string[]): string[];
}

/** The most that is read from a client that sends before the backend has answered. */
const MAX_EARLY_BYTES = 65_536;

export class UpgradeExchange {
  readonly #context: RequestContext;
  readonly #options: UpgradeOptions;
  readonly #attempts: Attempts<Upstream>;
  #lease: Lease<Upstream> | undefined;
  #request: ClientRequest | undefined;
  /** What the client has sent already. */
  readonly #early: Buffer[];
  #earlyBytes = 0;
  #isOver = false;
  #isUpgraded = false;

  constructor(context: RequestContext, options: UpgradeOptions) {
    this.#context = context;
    this.#options = options;
    const { id, host, url } = context;
    const { balancer, log, limits } = options;
    this.#attempts = new Attempts({
      balancer,
      log,
      what: 'request',
      fields: { id, host, url },
      restartWaitMs: limits.backendRestartWaitMs,
    });
    const { head, socket } = options.upgrade;
    this.#early = [head];
    // Read all the time: otherwise the client's end would not be noticed.
    socket.on('data', this.#onEarly);
    context.client.onClose(() => {
      this.#release('aborted');
      if (!this.#isUpgraded) this.#request?.destroy();
    });
  }

  readonly #onEarly = (chunk: Buffer): void => {
    this.#early.push(chunk);
    this.#earlyBytes += chunk.length;
    if (this.#earlyBytes >= MAX_EARLY_BYTES) this.#options.upgrade.socket.pause();
  };

  /** Asks the backend whose turn it is. */
  send(): void {
    this.#follow(this.#attempts.first());
  }

  #dispatch(lease: Lease<Upstream>): void {
    this.#lease = lease;
    const origin = lease.target.upgradeOrigin;
    if (origin === undefined) {
      this.#fail(lease, {
        kind: 'connect',
        sent: false,
        message: 'the protocol of the backend has no upgrade',
      });
      return;
    }
    const { limits } = this.#options;
    const request = this.#ask(origin);
    this.#request = request;
    let sent = false;
    let isTimeout = false;
    const onTimeout = (): void => {
      isTimeout = true;
      request.destroy(new Error('the backend is out of time'));
    };
    const timer = setTimeout(onTimeout, limits.backendConnectTimeoutMs).unref();
    request.on('socket', (socket) => {
      socket.once(origin.isTls ? 'secureConnect' : 'connect', () => {
        sent = true;
        clearTimeout(timer);
        request.setTimeout(limits.backendHeadersTimeoutMs, onTimeout);
      });
    });
    request.on('upgrade', (response, socket, head) => {
      clearTimeout(timer);
      request.setTimeout(0);
      this.#splice(response, socket, head);
    });
    request.on('response', (response) => this.#pass(response, lease));
    request.on('error', (error) => {
      clearTimeout(timer);
      if (this.#isOver) return;
      const kind = isTimeout ? 'timeout' : kindOf(error, sent);
      this.#fail(lease, { kind, sent, message: describeError(error), cause: error });
    });
    request.end();
  }

  #ask({ isTls, address, host: ownHost, serverName }: BackendOrigin): ClientRequest {
    const { head, upgrade } = this.#options;
    const host = head.host ?? ownHost;
    const make = isTls ? httpsRequest : httpRequest;
    return make({
      ...address,
      method: head.method,
      path: head.path,
      headers: ['Host', host, ...head.headers, 'Connection', 'Upgrade', 'Upgrade', upgrade.protocol],
      setHost: false,
      agent: false,
      ...(isTls && { servername: serverName }),
    });
  }

  #splice(response: IncomingMessage, backend: Socket, backendHead: Buffer): void {
    const { upgrade, limits } = this.#options;
    const { socket: client } = upgrade;
    if (this.#isOver) {
      backend.destroy();
      return;
    }
    this.#isUpgraded = true;
    this.#options.onOver();
    releaseSocket(upgrade.response, client);
    client.off('data', this.#onEarly);
    client.allowHalfOpen = true;
    backend.allowHalfOpen = true;
    backend.setNoDelay(true);
    const { raw } = this.#context.connection;
    this.#options.splices.splice({
      client,
      backend,
      idleTimeoutMs: limits.tcpIdleTimeoutMs,
      resetClient: () => resetSocket(raw),
      onEnd: (how) => this.#onEnd(how),
    });
    const fields = this.#options.responseHeaders(responseHeaders(response.rawHeaders));
    const own = ['Connection', 'Upgrade', 'Upgrade', response.headers.upgrade ?? upgrade.protocol];
    const lines = fieldLines([...fields, ...own]);
    client.write(`HTTP/1.1 101 ${response.statusMessage ?? ''}\r\n${lines}\r\n`, 'latin1');
    if (backendHead.length > 0) client.write(backendHead);
    for (const chunk of this.#early) if (chunk.length > 0) backend.write(chunk);
    client.resume();
  }

  /** The backend does not change the protocol: passes its response on. */
  #pass(response: IncomingMessage, lease: Lease<Upstream>): void {
    const { client } = this.#context;
    const fields = this.#options.responseHeaders(responseHeaders(response.rawHeaders));
    client.onDrain(() => response.resume());
    client.head(response.statusCode ?? 502, response.statusMessage, fields);
    client.flush();
    response.on('data', (chunk: Buffer) => {
      if (!client.write(chunk)) response.pause();
    });
    response.on('end', () => {
      this.#release('ok');
      client.end(trailerFields(response.rawTrailers));
    });
    response.on('error', (error) => {
      if (this.#isOver) client.cut();
      else this.#fail(lease, { kind: 'broken', sent: true, message: describeError(error) });
    });
    response.setTimeout(this.#options.limits.backendBodyTimeoutMs, () => response.destroy());
  }

  #fail(lease: Lease<Upstream>, failure: AttemptFailure): void {
    const { client } = this.#context;
    const { method } = this.#options.head;
    const state = { method, hasBody: false, isBodyRead: false, hasResponse: client.headersSent };
    this.#follow(this.#attempts.next(lease, failure, state));
  }

  #follow(step: Step<Upstream>): void {
    if (step.kind !== 'end') {
      this.#lease = step.lease;
      this.#attempts.proceed(step, (lease) => this.#dispatch(lease));
      return;
    }
    this.#finish();
    this.#context.client.fail(step.status);
  }

  #onEnd(how: SpliceEnd): void {
    const { id, host } = this.#context;
    this.#options.log.debug('upgraded connection closed', { id, host, how });
    // A backend that has upgraded a connection is healthy.
    this.#lease?.release('ok');
  }

  /** Ends the exchange without an upgrade. */
  #release(outcome: 'ok' | 'aborted'): void {
    if (this.#isOver || this.#isUpgraded) return;
    this.#lease?.release(outcome);
    this.#finish();
  }

  #finish(): void {
    if (this.#isOver || this.#isUpgraded) return;
    this.#isOver = true;
    this.#attempts.stopWaiting();
    this.#options.upgrade.socket.off('data', this.#onEarly).resume();
    this.#options.onOver();
  }
}

/** The kind of a failure that is not a time-out, by the error of Node's client. */
function kindOf(error: Error, sent: boolean): UpstreamFailure {
  if (!sent) return 'connect';
  // The codes of Node's HTTP parser.
  return 'code' in error && String(error.code).startsWith('HPE_') ? 'malformed' : 'broken';
}
