/**
 * The admin routes that the manager calls, field for field as it expects them (docs/architecture.md has the
 * contract): `{prefix}/nginx/shared_cache/status`, `…/expire/all` and `…/expire/domain/NAME`.
 *
 * Beside them, under `{prefix}/proxy`, the operations of `operations.ts`; on the control socket and the admin listener these have
 * short paths without the prefix, too.
 *
 * One router serves every door: the public listeners, the plain HTTP one, the admin listener, the control socket. It knows no sockets;
 * whoever does asks `owns` for each request and sends what `respond` answers.
 */
import { CHALLENGE, parseBasicCredentials } from './auth.js';
import type { Authenticator } from './authenticator.js';
import { isFromAnotherSite, type BrowserFields } from './cross-site.js';
import { findOperation, OPERATIONS, type Call, type Page } from './operations.js';
import { isBelow, mayReach } from './reserved-paths.js';
import { spacedJson, type Json } from './spaced-json.js';
import { VERSION } from '../base/version.js';
import type { CacheStatus, WorkersExpired } from '../domain/cache-status.js';
import { describeError } from '../domain/errors.js';
import { comparable } from '../domain/host.js';
import type { RequestTarget } from '../domain/request-target.js';
import type { ServerName } from '../domain/server-name.js';
import { certificateName } from '../domain/typed-name.js';

/**
 * What the routes ask the primary to do. Each may reject, for example when the primary does not answer in time: that is a 503.
 */
export interface AdminActions {
  status(): Promise<CacheStatus>;
  /** `hard` also drops what is retained for times of outage. */
  expireAll(params: { readonly hard: boolean }): Promise<Partial<WorkersExpired>>;
  expireDomain(params: { readonly name: ServerName }): Promise<Partial<WorkersExpired>>;
  /** @returns the result, which is plain JSON. */
  operate(call: Call): Promise<unknown>;
}

export interface AdminRouterOptions {
  /** Starts with `/`, has no trailing slash. */
  readonly prefix: string;
  /** Hosts that have the routes, any port; empty means any. The others answer 404. */
  readonly hosts: readonly string[];
  /** Absent: everything under the prefix answers 404, unless the door is trusted. */
  readonly authenticator?: Authenticator;
  /** The door itself keeps strangers out (the control socket): no authentication, every host. */
  readonly trusted?: boolean;
  /** Operations have short paths here, without the prefix. */
  readonly hasShortPaths?: boolean;
  /** It is the control socket: all operations can be asked for. */
  readonly isControl?: boolean;
  readonly actions: AdminActions;
  /** What `status` reports of the configuration. */
  readonly config: {
    readonly certCacheDurationMs: number;
    readonly lruCacheDurationMs: number;
    readonly lruMaxItems: number;
  };
}

export interface AdminRequest {
  readonly method: string;
  readonly target: RequestTarget;
  readonly host: string | undefined;
  readonly authorization: string | undefined;
  /** The client's address; empty on a unix socket. */
  readonly client: string;
  readonly browser: BrowserFields;
}

/** Header names are lower case. The length is left to whoever sends it. */
export interface AdminResponse {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

type Route =
  { readonly kind: 'status' | 'expireAll' } | { readonly kind: 'expireDomain'; readonly rawName: string };

const OPERATIONS_ROOT = '/proxy';
const EVENTS_PATH = '/events';
const NOT_STORED = { 'cache-control': 'no-store' };
const OPEN_PATHS: ReadonlySet<string> = new Set(
  Object.values(OPERATIONS).flatMap(({ path, isOpen }) => (isOpen === true ? [path] : [])),
);
const ROOT = '/nginx/shared_cache';
const DOMAIN = `${ROOT}/expire/domain/`;
const STATUS_NOTE =
  'This is a max(1024) listening of keys in the ngx.shared.DICT `cert_cache`. ' +
  "This does not show the worker's own LRU cache, or Redis.";

export class AdminRouter {
  readonly #options: AdminRouterOptions;
  readonly #hosts: ReadonlySet<string>;

  constructor(options: AdminRouterOptions) {
    this.#options = options;
    this.#hosts = new Set(options.hosts.map(comparable));
  }

  /**
   * Whether a request is for `respond` and must not reach a backend. The prefix is reserved on every host: what the
   * host decides is whether there is anything behind it.
   */
  readonly owns: (target: RequestTarget) => boolean = ({ path }) => mayReach(this.#options.prefix, path);

  /**
   * Answers a request that is owned. Never rejects.
   *
   * In this order, so that a client learns nothing of what it may not use: 404 where there are no routes; 401,
   * 429 or 503 without a right password; 404 for an unknown route; 405; 403 for what would change something, or
   * ask much of others, at the behest of another site; 400.
   */
  async respond(request: AdminRequest): Promise<AdminResponse> {
    const response = await this.#answer(request);
    return request.method === 'HEAD' ? { ...response, body: '' } : response;
  }

  async #answer(request: AdminRequest): Promise<AdminResponse> {
    const { method, target, host, browser } = request;
    const { path, query, authority = host } = target;
    const operation = this.#operationPath(path);
    const isOpen = this.#options.hasShortPaths === true && OPEN_PATHS.has(path);
    const refusal = isOpen ? undefined : await this.#admit(request, authority);
    if (refusal !== undefined) return refusal;
    if (operation !== undefined) return this.#operate(request, operation, query, authority);
    const route = this.#route(path);
    if (route === undefined) return failure(404, 'Unknown URI');
    // HEAD is a safe method: it must not expire anything.
    const allowed = route.kind === 'status' ? ['GET', 'HEAD'] : ['GET'];
    if (!allowed.includes(method)) return failure(405, 'Method Not Allowed', { allow: allowed.join(', ') });
    if (route.kind !== 'status' && isFromAnotherSite(browser, authority)) {
      return ofAnotherSite();
    }
    try {
      return await this.#act(route, query);
    } catch (error) {
      return failure(503, describeError(error));
    }
  }

  /**
   * Whether a request is for the stream of snapshots, which whoever has the connection sends by itself.
   *
   * @returns the refusal for a client that is not let in; `stream` where it is; undefined: the request is for something else.
   */
  async askForEvents(request: AdminRequest): Promise<AdminResponse | 'stream' | undefined> {
    const { method, target, host, browser } = request;
    if (method !== 'GET' || this.#operationPath(target.path) !== EVENTS_PATH) return undefined;
    const authority = target.authority ?? host;
    const refusal = await this.#admit(request, authority);
    if (refusal !== undefined) return refusal;
    // It could not read what is sent, but would hold one of few places.
    return isFromAnotherSite(browser, authority) ? ofAnotherSite() : 'stream';
  }

  /** The path of an operation, below the root of all operations; undefined: it is none. */
  #operationPath(path: string): string | undefined {
    const { prefix, hasShortPaths } = this.#options;
    if (path.startsWith(`${prefix}${OPERATIONS_ROOT}/`))
      return path.slice(prefix.length + OPERATIONS_ROOT.length);
    return hasShortPaths === true && !isBelow(prefix, path) ? path : undefined;
  }

  async #operate(
    { method, browser }: AdminRequest,
    path: string,
    query: string,
    authority: string | undefined,
  ): Promise<AdminResponse> {
    // Here no stream is sent. By the HTML standard (server-sent events) a browser takes 204 for a word to ask no more; it is no error.
    if (method === 'GET' && path === EVENTS_PATH) return { status: 204, headers: NOT_STORED, body: '' };
    const found = findOperation(method, path, query, this.#options.isControl === true);
    switch (found.kind) {
      case 'unknown':
        return failure(404, 'Unknown URI');
      case 'wrong method':
        return failure(405, 'Method Not Allowed', { allow: found.allowed });
      case 'no name':
        return failure(400, 'Not a domain name');
      case 'call':
        if (
          (found.changes || OPERATIONS[found.call.op].isForOwnSite === true) &&
          isFromAnotherSite(browser, authority)
        ) {
          return ofAnotherSite();
        }
    }
    try {
      const result = await this.#options.actions.operate(found.call);
      return OPERATIONS[found.call.op].isPage === true ? pageResponse(result as Page) : plainJson(result);
    } catch (error) {
      return failure(503, describeError(error));
    }
  }

  /** @returns the refusal for a client that is not let in; undefined: it may go on. */
  async #admit(
    { authorization, client }: AdminRequest,
    authority: string | undefined,
  ): Promise<AdminResponse | undefined> {
    const { authenticator, trusted } = this.#options;
    if (trusted === true) return undefined;
    if (authenticator === undefined || !this.#isListed(authority)) return nothingHere();
    try {
      const verdict = await authenticator.judge(parseBasicCredentials(authorization), client);
      switch (verdict.kind) {
        case 'right':
          return undefined;
        case 'wrong':
          return failure(401, 'Unauthorized', { 'www-authenticate': CHALLENGE });
        case 'held':
          return failure(429, 'Too many passwords from this address', retryAfter(verdict.retryAfterMs));
        case 'busy':
          return failure(503, 'Too many passwords are being checked', retryAfter(verdict.retryAfterMs));
      }
    } catch (error) {
      return failure(503, describeError(error));
    }
  }

  #isListed(host: string | undefined): boolean {
    return this.#hosts.size === 0 || (host !== undefined && this.#hosts.has(comparable(host)));
  }

  /** Only the plain spelling is a route; the confusing ones are merely kept from the backends. */
  #route(path: string): Route | undefined {
    if (!isBelow(this.#options.prefix, path)) return undefined;
    const rest = path.slice(this.#options.prefix.length);
    if (rest === `${ROOT}/status`) return { kind: 'status' };
    if (rest === `${ROOT}/expire/all`) return { kind: 'expireAll' };
    const rawName = rest.startsWith(DOMAIN) ? rest.slice(DOMAIN.length) : '';
    return rawName === '' || rawName.includes('/') ? undefined : { kind: 'expireDomain', rawName };
  }

  async #act(route: Route, query: string): Promise<AdminResponse> {
    const { actions, config } = this.#options;
    switch (route.kind) {
      case 'status': {
        const { valid, invalid, autocert } = await actions.status();
        return success({
          note: STATUS_NOTE,
          keys: { valid, invalid, autocert },
          config: {
            expiries: {
              'ngx.shared.cert_cache': config.certCacheDurationMs / 1000,
              'resty.lrucache': config.lruCacheDurationMs / 1000,
            },
            maxitems: { 'resty.lrucache': config.lruMaxItems },
          },
        });
      }
      case 'expireAll': {
        const hard = new URLSearchParams(query).getAll('hard').includes('1');
        const told = await actions.expireAll({ hard });
        return success({ expired: 'all' }, workersTold(told));
      }
      case 'expireDomain': {
        const name = decodeName(route.rawName);
        if (name === undefined) return failure(400, 'Not a domain name');
        const told = await actions.expireDomain({ name });
        return success({ expired: 'domain', domain: name }, workersTold(told));
      }
    }
  }
}

function decodeName(rawName: string): ServerName | undefined {
  try {
    return certificateName(decodeURIComponent(rawName));
  } catch {
    return undefined;
  }
}

const workersTold = ({ workers, acknowledged }: Partial<WorkersExpired>): Record<string, Json> => ({
  ...(workers === undefined ? {} : { workers }),
  ...(acknowledged === undefined ? {} : { acknowledged }),
});

/** The name of this server in every answer: the manager requires it. */
export const SERVER_NAME = 'peter_sslers:openresty';
const SERVER = { server: SERVER_NAME, server_version: VERSION };

/** The order of the fields is the original's; ours come last. */
function success(fields: Record<string, Json>, extra: Record<string, Json> = {}): AdminResponse {
  return json(200, { result: 'success', ...fields, ...SERVER, ...extra });
}

function failure(status: number, reason: string, headers: Record<string, string> = {}): AdminResponse {
  return json(status, { result: 'error', expired: 'None', reason, ...SERVER }, headers);
}

const ofAnotherSite = (): AdminResponse => failure(403, 'Sent by a page of another site');

function pageResponse({ status, headers, body }: Page): AdminResponse {
  return { status, headers: { 'cache-control': 'no-store', ...headers }, body };
}

/** What an operation gives, as it is. */
function plainJson(result: unknown): AdminResponse {
  return {
    status: 200,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    body: `${JSON.stringify(result)}\n`,
  };
}

const retryAfter = (ms: number): Record<string, string> => ({ 'retry-after': String(Math.ceil(ms / 1_000)) });

function json(status: number, fields: Json, headers: Record<string, string> = {}): AdminResponse {
  return {
    status,
    headers: {
      'content-type': 'application/json',
      'x-peter-sslers': VERSION,
      'cache-control': 'no-store',
      ...headers,
    },
    body: `${spacedJson(fields)}\n`,
  };
}

/** For doors and hosts without admin routes: an answer that does not say what is here elsewhere. */
const nothingHere = (): AdminResponse => ({
  status: 404,
  headers: { 'content-type': 'text/plain; charset=utf-8' },
  body: '404 Not Found\n',
});
