/**
 * A request to change the protocol of a connection (RFC 9110 §7.8): WebSocket, or any other.
 *
 * It goes to a backend on a connection of its own, and to another one by the rules of `exchange.ts`: until a response has come,
 * nothing of what the client sends behind its request is passed on. When the backend answers 101 the two connections are
 * spliced, each direction ending by itself, until both have ended or nothing has passed for a while; a reload leaves them
 * alone. Any other answer is passed on as an ordinary response, after which the client's connection ends.
 *
 * HTTP/2 over clear text is never asked for: what went through such a connection would be seen by nobody here.
 */
import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type Socket } from 'node:net';
import type { LimitSettings } from '../config/settings.js';
import { describeError } from '../domain/errors.js';
import type { Logger } from '../log/logger.js';
import { Attempts, type AttemptFailure } from './upstream/attempts.js';
import type { Balancer, Lease } from './upstream/balancer.js';
import { releaseSocket } from './downstream/bare-response.js';
import { responseHeaders, trailerFields } from './headers/headers.js';
import type { RequestContext, UpgradeRequest } from './downstream/request-context.js';
import { resetSocket, type SpliceEnd, type Splices } from './tunnel/splice.js';
import type { HttpBackend, Upstream, UpstreamFailure, UpstreamRequest } from './upstream/upstream.js';

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

/** So much is taken from a client that does not wait for the answer. */
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
    this.#attempts = new Attempts(options.balancer);
    const { head, socket } = options.upgrade;
    this.#early = [head];
    // It is read all the time, or its end would not be seen.
    socket.on('data', this.#onEarly);
    context.client.onClose(() => {
      this.#finish('aborted');
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
    const lease = this.#options.balancer.take();
    if (lease === undefined) this.#fail('no backend can be asked', 503);
    else this.#dispatch(lease);
  }

  #dispatch(lease: Lease<Upstream>): void {
    this.#lease = lease;
    const backend = lease.target.upgradeBackend;
    if (backend === undefined) {
      this.#fail('the backend knows no upgrade', 502);
      return;
    }
    const { limits } = this.#options;
    const request = this.#ask(backend);
    this.#request = request;
    let sent = false;
    let isTimeout = false;
    const onTimeout = (): void => {
      isTimeout = true;
      request.destroy(new Error('the backend is out of time'));
    };
    const timer = setTimeout(onTimeout, limits.backendConnectTimeoutMs).unref();
    request.on('socket', (socket) => {
      socket.once(backend.origin.startsWith('https:') ? 'secureConnect' : 'connect', () => {
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
    request.on('response', (response) => this.#pass(response));
    request.on('error', (error) => {
      clearTimeout(timer);
      if (this.#isOver) return;
      this.#onError(lease, error, { kind: isTimeout ? 'timeout' : kindOf(error, sent), sent });
    });
    request.end();
  }

  #ask({ origin, socketPath }: HttpBackend): ClientRequest {
    const { head, upgrade } = this.#options;
    const { protocol, hostname, port } = new URL(origin);
    const host = head.host ?? new URL(origin).host;
    const bare = hostname.replace(/^\[(.*)\]$/, '$1');
    const make = protocol === 'https:' ? httpsRequest : httpRequest;
    return make({
      ...(socketPath === undefined ? { host: bare, port: port || undefined } : { socketPath }),
      method: head.method,
      path: head.path,
      headers: ['Host', host, ...head.headers, 'Connection', 'Upgrade', 'Upgrade', upgrade.protocol],
      setHost: false,
      agent: false,
      ...(protocol === 'https:' && { servername: isIP(bare) === 0 ? bare : '' }),
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
    const lines = [`HTTP/1.1 101 ${response.statusMessage ?? ''}`];
    for (let i = 0; i + 1 < fields.length; i += 2) lines.push(`${fields[i] ?? ''}: ${fields[i + 1] ?? ''}`);
    lines.push('Connection: Upgrade', `Upgrade: ${response.headers.upgrade ?? upgrade.protocol}`, '', '');
    client.write(lines.join('\r\n'), 'latin1');
    if (backendHead.length > 0) client.write(backendHead);
    for (const chunk of this.#early) if (chunk.length > 0) backend.write(chunk);
    client.resume();
  }

  /** The backend stays with HTTP. */
  #pass(response: IncomingMessage): void {
    const { client } = this.#context;
    const fields = this.#options.responseHeaders(responseHeaders(response.rawHeaders));
    client.onDrain(() => response.resume());
    client.head(response.statusCode ?? 502, response.statusMessage, fields);
    client.flush();
    response.on('data', (chunk: Buffer) => {
      if (!client.write(chunk)) response.pause();
    });
    response.on('end', () => {
      this.#finish('ok');
      client.end(trailerFields(response.rawTrailers));
    });
    response.on('error', () => client.cut());
    response.setTimeout(this.#options.limits.backendBodyTimeoutMs, () => response.destroy());
  }

  #onError(lease: Lease<Upstream>, error: Error, failure: AttemptFailure): void {
    const context = this.#context;
    const options = this.#options;
    const { method } = options.head;
    const next = context.client.headersSent
      ? undefined
      : this.#attempts.next(lease, failure, { method, hasBody: false, isBodyRead: false });
    if (next === undefined) {
      const status = failure.kind === 'timeout' ? 504 : 502;
      this.#fail(describeError(error), this.#attempts.isNoneLeft ? 503 : status);
      return;
    }
    options.log.info('request sent again', {
      id: context.id,
      backend: lease.target.name,
      next: next.target.name,
      error: describeError(error),
    });
    this.#dispatch(next);
  }

  #fail(error: string, status: 502 | 503 | 504): void {
    const { id, host, url, client } = this.#context;
    const backend = this.#lease?.target.name;
    this.#finish('failed');
    this.#options.log.err('backend failed', { id, host, url, backend, error });
    if (client.headersSent) client.cut();
    else client.refuse(status);
  }

  #onEnd(how: SpliceEnd): void {
    const { id, host } = this.#context;
    this.#options.log.debug('upgraded connection closed', { id, host, how });
    // That it was upgraded says that the backend is well.
    this.#lease?.release('ok');
  }

  #finish(outcome: 'ok' | 'failed' | 'aborted'): void {
    if (this.#isOver || this.#isUpgraded) return;
    this.#isOver = true;
    this.#lease?.release(outcome);
    this.#options.upgrade.socket.off('data', this.#onEarly).resume();
    this.#options.onOver();
  }
}

/** How an attempt has failed that was in time, by the error of Node's client. */
function kindOf(error: Error, sent: boolean): UpstreamFailure {
  if (!sent) return 'connect';
  // The codes of its parser.
  return 'code' in error && String(error.code).startsWith('HPE_') ? 'malformed' : 'broken';
}
