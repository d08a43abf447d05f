/**
 * HTTP with the manager: queries, orders, and the question whether a name may be ordered at all.
 *
 * Nothing here rejects: what went wrong is a `Failure` with one clause in plain words, free of credentials. Every exchange
 * has a limit on each stage (connect, headers, body) and, against an answer that drips, one on the whole. Answers over
 * 1 MiB are cut off with their connection. Redirects are not followed.
 *
 * Queries share a few kept-alive connections: the manager has four threads for everybody, and needs one of them to answer
 * the challenge of an order. Who sends no more of them at once than that has each begin at once: in here they would wait in the
 * order in which they come, whoever sends them, and their time would run. Questions whether the manager is well have connections
 * apart, so as not to wait behind queries that hang. An order takes a connection of its own, so that queries never wait behind it, and so that
 * it is never sent on a connection that the manager is just closing: an order must not be sent twice.
 */
import { setMaxListeners } from 'node:events';
import type { Agent, Dispatcher, Pool } from 'undici';
import { describeError } from '../../domain/errors.js';
import { undici } from '../../base/lazy-imports.js';
import { VERSION } from '../../base/version.js';
import type { ManagerAnswer } from './schema.js';

const USER_AGENT = `peter-sslers-proxy/${VERSION}`;
const MAX_ANSWER_BYTES = 1_048_576;
/** Three queries beside two orders are more than the manager's four threads, but a query takes milliseconds. */
export const QUERY_CONNECTIONS = 3;
/** A check, and one that took too long or a person's question beside it. */
const APART_CONNECTIONS = 2;
/** Shorter than most proxies and managers keep a connection, so that we close an idle one before they do. */
const KEEP_ALIVE_MS = 15_000;

/** Limits, milliseconds. */
export interface ManagerTimeouts {
  /** Until the connection is established, TLS included. @default 2000 */
  readonly connectMs: number;
  /** From sending a query to the headers of its answer. @default 10000 */
  readonly headersMs: number;
  /** From the headers to the end of the answer. @default 10000 */
  readonly bodyMs: number;
  /** The whole of an order. @default the longer of `--autocert-timeout` and 120 s */
  readonly orderMs: number;
  /** The whole of asking whether a name may be ordered. @default 2000 */
  readonly askMs: number;
}

export interface ManagerClientOptions {
  /** `http://host:port` or `https://host:port`. */
  readonly origin: string;
  /** The path that the manager's paths begin with, without a trailing slash. */
  readonly prefix: string;
  readonly caPem?: string;
  /** `user:password` */
  readonly credentials?: string;
  readonly orderConnections: number;
  readonly timeouts: ManagerTimeouts;
}

export interface Failure {
  readonly failure: string;
  /** It was reached: what went wrong afterwards may be the fault of what it was asked. */
  readonly wasReached?: boolean;
}

/** Codes of Node, OpenSSL and undici, in words. */
const FAILURES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'it refuses the connection',
  ENOTFOUND: 'its host name is not known',
  EAI_AGAIN: 'its host name cannot be resolved just now',
  EHOSTUNREACH: 'its host cannot be reached',
  ENETUNREACH: 'its network cannot be reached',
  ECONNRESET: 'it closed the connection before its answer was complete',
  EPIPE: 'it closed the connection before its answer was complete',
  UND_ERR_SOCKET: 'it closed the connection before its answer was complete',
  UND_ERR_CONNECT_TIMEOUT: 'it did not accept a connection in time',
  UND_ERR_HEADERS_TIMEOUT: 'it did not answer in time',
  UND_ERR_BODY_TIMEOUT: 'its answer did not arrive in time',
  UND_ERR_RES_EXCEEDED_MAX_SIZE: 'its answer is larger than 1 MiB',
  UND_ERR_HEADERS_OVERFLOW: 'the headers of its answer are too large',
  UND_ERR_DESTROYED: 'the connection to it was closed on our side',
  UND_ERR_CLOSED: 'the connection to it was closed on our side',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host name',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS on this port',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS on this port',
  EPROTO: 'it does not speak TLS on this port',
};

/** Those that come after a connection was there: it broke off, said too much, or too little in time. */
const AFTER_CONNECTING =
  /^(ECONNRESET|EPIPE|UND_ERR_(SOCKET|HEADERS_TIMEOUT|BODY_TIMEOUT|RES_EXCEEDED_MAX_SIZE|HEADERS_OVERFLOW))$/;

/** A certificate that does not chain to what is trusted. */
const UNTRUSTED = /SELF_SIGNED|UNABLE_TO_(GET_ISSUER|VERIFY)|INVALID_CA|CERT_UNTRUSTED/;

export class ManagerClient {
  readonly #options: ManagerClientOptions;
  readonly #prefix: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #queries: Pool;
  readonly #apart: Pool;
  readonly #orders: Pool;
  readonly #asks: Agent;
  readonly #closing = new AbortController();

  constructor(options: ManagerClientOptions) {
    this.#options = options;
    // One listener for each exchange under way.
    setMaxListeners(0, this.#closing.signal);
    const { origin, prefix } = options;
    this.#prefix = prefix;
    this.#headers = {
      accept: 'application/json',
      'user-agent': USER_AGENT,
      ...(options.credentials !== undefined && {
        authorization: `Basic ${Buffer.from(options.credentials).toString('base64')}`,
      }),
    };
    const { connectMs, headersMs, bodyMs, orderMs, askMs } = options.timeouts;
    const connect = { timeout: connectMs, ...(options.caPem !== undefined && { ca: options.caPem }) };
    const common = { maxResponseSize: MAX_ANSWER_BYTES, keepAliveTimeout: KEEP_ALIVE_MS };
    const { Agent, Pool } = undici();
    const query = { ...common, connect, headersTimeout: headersMs, bodyTimeout: bodyMs };
    this.#queries = new Pool(origin, { ...query, connections: QUERY_CONNECTIONS });
    this.#apart = new Pool(origin, { ...query, connections: APART_CONNECTIONS });
    this.#orders = new Pool(origin, {
      ...common,
      connect,
      connections: options.orderConnections,
      headersTimeout: orderMs,
      bodyTimeout: orderMs,
    });
    this.#asks = new Agent({
      ...common,
      connections: QUERY_CONNECTIONS,
      connect: { timeout: askMs },
      headersTimeout: askMs,
      bodyTimeout: askMs,
    });
  }

  /** The path of a name's query, without the query string. */
  queryPath(name: string): string {
    return `${this.#prefix}/domain/${encodeURIComponent(name)}/config.json`;
  }

  /**
   * Asks for a path of the manager. A connection that was kept alive and closed just now is tried again, once.
   *
   * @param options `primes`: the manager is to write what it answers to Redis. `isApart`: not on a connection of the queries.
   */
  async query(
    path: string,
    { primes, isApart = false }: { readonly primes: boolean; readonly isApart?: boolean },
    signal?: AbortSignal,
  ): Promise<ManagerAnswer | Failure> {
    const { connectMs, headersMs, bodyMs } = this.#options.timeouts;
    const request: Dispatcher.RequestOptions = {
      method: 'GET',
      path: primes ? `${path}?openresty=1` : path,
      headers: this.#headers,
    };
    const pool = isApart ? this.#apart : this.#queries;
    const send = async (within: AbortSignal): Promise<ManagerAnswer> => {
      const start = () => pool.request({ ...request, signal: within });
      const response = await start().catch((error: unknown) => {
        if (!isStaleConnection(error) || within.aborted) throw error;
        return start();
      });
      return await readAnswer(response);
    };
    return await this.#within(connectMs + headersMs + bodyMs, signal, send);
  }

  /** Posts an order. Only closing the client ends it early. */
  async order(name: string): Promise<ManagerAnswer | Failure> {
    const request: Dispatcher.RequestOptions = {
      method: 'POST',
      path: `${this.#prefix}/api/domain/autocert.json?openresty=1`,
      headers: { ...this.#headers, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ domain_name: name }).toString(),
      reset: true,
    };
    return await this.#within(this.#options.timeouts.orderMs, undefined, async (within) =>
      readAnswer(await this.#orders.request({ ...request, signal: within })),
    );
  }

  /**
   * Asks `url` with `?domain=NAME` whether a name may be ordered.
   *
   * @returns `yes` for a 2xx, `no` for a 4xx, else what went wrong.
   */
  async ask(url: string, name: string, signal: AbortSignal): Promise<'yes' | 'no' | Failure> {
    const target = new URL(url);
    target.searchParams.set('domain', name);
    const request = {
      origin: target.origin,
      method: 'GET' as const,
      path: `${target.pathname}${target.search}`,
      headers: { 'user-agent': USER_AGENT },
    };
    const answer = await this.#within(this.#options.timeouts.askMs, signal, async (within) =>
      readAnswer(await this.#asks.request({ ...request, signal: within })),
    );
    if ('failure' in answer) return answer;
    if (answer.status >= 200 && answer.status < 300) return 'yes';
    if (answer.status >= 400 && answer.status < 500) return 'no';
    return { failure: `it answered ${answer.status}` };
  }

  /** Ends every connection; exchanges under way fail. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([
      this.#queries.destroy(),
      this.#apart.destroy(),
      this.#orders.destroy(),
      this.#asks.destroy(),
    ]);
  }

  /** Runs an exchange that ends with the time, the caller's signal, or the client. */
  async #within<T>(
    limitMs: number,
    signal: AbortSignal | undefined,
    run: (within: AbortSignal) => Promise<T>,
  ): Promise<T | Failure> {
    const controller = new AbortController();
    let cause = '';
    const abort = (why: string) => {
      cause ||= why;
      controller.abort();
    };
    // Not AbortSignal.any: on Node 20 each call stays with a long-lived signal for ever.
    const sources: [AbortSignal, () => void][] = [
      [this.#closing.signal, () => abort('the connection to it was closed on our side')],
    ];
    if (signal !== undefined)
      sources.push([signal, () => abort('the look-up was given up before it answered')]);
    const timer = setTimeout(() => abort('it did not answer in time'), limitMs);
    try {
      for (const [source, onAbort] of sources) {
        if (source.aborted) onAbort();
        source.addEventListener('abort', onAbort, { once: true });
      }
      return await run(controller.signal);
    } catch (error) {
      // It takes longer than a connection may take to be established.
      if (cause !== '') return { failure: cause, wasReached: true };
      return { failure: describeFailure(error), wasReached: AFTER_CONNECTING.test(codeOf(error)) };
    } finally {
      clearTimeout(timer);
      for (const [source, onAbort] of sources) source.removeEventListener('abort', onAbort);
    }
  }
}

async function readAnswer({ statusCode, headers, body }: Dispatcher.ResponseData): Promise<ManagerAnswer> {
  const { 'content-type': contentType, date } = headers;
  const dateMs = typeof date === 'string' ? Date.parse(date) : NaN;
  return {
    status: statusCode,
    contentType: typeof contentType === 'string' ? contentType : '',
    body: await body.text(),
    ...(Number.isFinite(dateMs) && { dateMs }),
  };
}

/**
 * Whether the connection had been used before and ended without a byte of this answer: the manager closed it while the
 * request was on its way (RFC 9112 §9.3.1).
 */
function isStaleConnection(error: unknown): boolean {
  const code = codeOf(error);
  if (code === 'ECONNRESET' || code === 'EPIPE') return true;
  const socket = error instanceof Error && 'socket' in error ? error.socket : undefined;
  const bytesRead =
    typeof socket === 'object' && socket !== null && 'bytesRead' in socket ? socket.bytesRead : 0;
  return code === 'UND_ERR_SOCKET' && typeof bytesRead === 'number' && bytesRead > 0;
}

function describeFailure(error: unknown): string {
  const code = codeOf(error);
  if (UNTRUSTED.test(code)) {
    return `its certificate is not trusted (${code}): name its authority with --fallback-ca`;
  }
  if (error instanceof undici().errors.HTTPParserError) return 'it does not speak HTTP on this port';
  const words = FAILURES[code];
  return words === undefined ? describeError(error) : `${words} (${code})`;
}

function codeOf(error: unknown): string {
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
