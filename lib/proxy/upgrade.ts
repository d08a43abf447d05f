/**
 * A request to change the protocol of a connection (RFC 9110 §7.8): WebSocket, or any other.
 *
 * It goes to a backend on a connection of its own. When that answers 101 the two connections are spliced, each direction
 * ending by itself, until both have ended or nothing has passed for a while; a reload leaves them alone. Any other answer is
 * passed on as an ordinary response, after which the client's connection ends.
 *
 * HTTP/2 over clear text is never asked for: what went through such a connection would be seen by nobody here.
 */
import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type Socket } from 'node:net';
import type { LimitSettings } from '../config/settings.js';
import { describeError } from '../domain/errors.js';
import type { Logger } from '../log.js';
import type { Balancer, Place } from './balancer.js';
import { releaseSocket } from './bare-response.js';
import { responseHeaders, trailerFields } from './headers.js';
import type { RequestContext, UpgradeRequest } from './request-context.js';
import { resetSocket, splice, type SpliceEnd } from './splice.js';
import type { HttpBackend, Upstream, UpstreamRequest } from './upstream.js';

export interface UpgradeOptions {
  readonly upgrade: UpgradeRequest;
  readonly balancer: Balancer<Upstream>;
  readonly log: Logger;
  readonly limits: LimitSettings;
  readonly head: Omit<UpstreamRequest, 'body' | 'trailers'>;
  /** Called once, when the backend has been chosen for good. */
  onOver(): void;
  /** Rewrites the response fields, which come without those of the backend's hop. */
  responseHeaders(fields: string[]): string[];
}

/** So much is taken from a client that does not wait for the answer. */
const MAX_EARLY_BYTES = 65_536;

/** The protocols of an `Upgrade` field that may be passed on; undefined where there are none. */
export function passableProtocol(upgrade: string | undefined): string | undefined {
  const protocols = (upgrade ?? '')
    .split(',')
    .map((protocol) => protocol.trim())
    .filter((protocol) => protocol !== '' && !/^(?:h2c?|http|tls)(?:\/|$)/i.test(protocol));
  return protocols.length === 0 ? undefined : protocols.join(', ');
}

export class UpgradeExchange {
  readonly #context: RequestContext;
  readonly #options: UpgradeOptions;
  readonly #tried = new Set<Upstream>();
  #place: Place<Upstream> | undefined;
  #request: ClientRequest | undefined;
  /** What the client has sent already. */
  readonly #early: Buffer[];
  #earlyBytes = 0;
  #isOver = false;
  #isUpgraded = false;

  constructor(context: RequestContext, options: UpgradeOptions) {
    this.#context = context;
    this.#options = options;
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
    const place = this.#options.balancer.take(this.#tried);
    const backend = place?.target.upgradeBackend;
    this.#place = place;
    if (place === undefined || backend === undefined) {
      this.#fail('no backend can be asked', this.#tried.size === 1 ? 502 : 503);
      return;
    }
    const { limits } = this.#options;
    const request = this.#ask(backend);
    this.#request = request;
    let isSent = false;
    let error: Error | undefined;
    const timer = setTimeout(() => {
      error = new Error('the backend is out of time');
      request.destroy(error);
    }, limits.backendConnectTimeoutMs).unref();
    request.on('socket', (socket) => {
      socket.once(backend.origin.startsWith('https:') ? 'secureConnect' : 'connect', () => {
        isSent = true;
        clearTimeout(timer);
        request.setTimeout(limits.backendHeadersTimeoutMs, () => {
          error = new Error('the backend is out of time');
          request.destroy(error);
        });
      });
    });
    request.on('upgrade', (response, socket, head) => {
      clearTimeout(timer);
      request.setTimeout(0);
      this.#splice(response, socket, head);
    });
    request.on('response', (response) => this.#pass(response));
    request.on('error', (thrown) => {
      clearTimeout(timer);
      if (this.#isOver) return;
      this.#onError(place, error ?? thrown, { isSent, isTimeout: error !== undefined });
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
    splice({
      client,
      backend,
      idleTimeoutMs: limits.backendBodyTimeoutMs,
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

  #onError(
    place: Place<Upstream>,
    error: Error,
    { isSent, isTimeout }: { isSent: boolean; isTimeout: boolean },
  ): void {
    const { id } = this.#context;
    if (!isSent && this.#tried.size + 1 < this.#options.balancer.targets.length) {
      place.leave('failed');
      this.#tried.add(place.target);
      this.#options.log.info('backend failed, the next one is asked', {
        ...{ id, backend: place.target.name, error: describeError(error) },
      });
      this.send();
      return;
    }
    this.#fail(describeError(error), this.#tried.size > 0 && !isSent ? 503 : isTimeout ? 504 : 502);
  }

  #fail(error: string, status: 502 | 503 | 504): void {
    const { id, host, url, client } = this.#context;
    const backend = this.#place?.target.name;
    this.#finish('failed');
    this.#options.log.err('backend failed', { id, host, url, backend, error });
    if (client.headersSent) client.cut();
    else client.refuse(status);
  }

  #onEnd(how: SpliceEnd): void {
    const { id, host } = this.#context;
    this.#options.log.debug('upgraded connection closed', { id, host, how });
    // That it was upgraded says that the backend is well.
    this.#place?.leave('ok');
  }

  #finish(outcome: 'ok' | 'failed' | 'aborted'): void {
    if (this.#isOver || this.#isUpgraded) return;
    this.#isOver = true;
    this.#place?.leave(outcome);
    this.#options.upgrade.socket.off('data', this.#onEarly).resume();
    this.#options.onOver();
  }
}
