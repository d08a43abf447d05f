/**
 * What becomes of a request on plain HTTP, in this order:
 *
 *  1. Malformed (a missing or double `Host`, or one that is neither a name nor an address): 400.
 *  2. Under the admin prefix: the admin routes, behind authentication, whatever the host: the manager calls by address.
 *  3. For an address, or for nobody: 400.
 *  4. An HTTP-01 challenge (RFC 8555 §8.3): the manager's, at the root of its origin, with the `Host` kept. 404 without a
 *     manager.
 *  5. Everything else is redirected to https: 308, with its method, path and query, to the default port.
 *
 * Nothing is proxied to a backend. Below the challenges' folder only what is a token by RFC 8555 goes to the manager: other
 * spellings could be made into another path of it, and its own admin routes lie beside.
 */
import type { AdminRouter } from '../admin/routes.js';
import type { LimitSettings } from '../config/settings.js';
import type { Logger } from '../log.js';
import { answerAdmin } from './admin-door.js';
import { Balancer } from './balancer.js';
import { destinationOf, type Destination } from './destination.js';
import { Exchange } from './exchange.js';
import { requestHeaders } from './headers.js';
import { Http1Upstream } from './http1-upstream.js';
import type { Page } from './pages.js';
import type { RequestContext } from './request-context.js';
import { sendPage } from './send.js';
import type { Upstream } from './upstream.js';

export type CompanionVerdict =
  { readonly kind: 'challenge' } | { readonly kind: 'redirect'; readonly location: string };

const CHALLENGE = /^\/\.well-known\/acme-challenge\/[\w-]+(?:\?|$)/;
/** What stands in a URL as it is (RFC 3986 §2); the rest is not for a Location. */
const NOT_IN_URL = /[^\w\-.~:/?#[\]@!$&'()*+,;=%]/g;

/**
 * Decides on a request that is well-formed and not the admin routes'.
 *
 * @returns undefined when its host is no name.
 */
export function decideCompanion({ host, path }: Destination): CompanionVerdict | undefined {
  const name = host?.name;
  if (name === undefined) return undefined;
  if (CHALLENGE.test(path)) return { kind: 'challenge' };
  // `OPTIONS *` has no path.
  const target = path.startsWith('/') ? path : '/';
  // Node gives the octets of the target as one character each.
  const safe = target.replace(
    NOT_IN_URL,
    (octet) => `%${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
  return { kind: 'redirect', location: `https://${name}${safe}` };
}

/** The manager, where challenges go. */
export interface ChallengeServer {
  /** `http://host:port` or `https://host:port`. */
  readonly origin: string;
  /** What its certificate must chain to. Absent: the system's authorities. */
  readonly caPem?: string;
}

export interface HttpCompanionOptions {
  readonly admin: AdminRouter;
  readonly challengeServer?: ChallengeServer;
  readonly limits: LimitSettings;
  readonly log: Logger;
}

/** Of each worker. Anybody may ask for challenges, and the manager has few threads. */
const MAX_MANAGER_CONNECTIONS = 4;

const REDIRECT: Page = {
  status: 308,
  contentType: 'text/plain; charset=utf-8',
  body: '308 Permanent Redirect\n',
};

export class HttpCompanion {
  readonly #options: HttpCompanionOptions;
  readonly #manager: Upstream | undefined;
  readonly #balancer: Balancer<Upstream> | undefined;

  constructor(options: HttpCompanionOptions) {
    this.#options = options;
    const { challengeServer: server, limits } = options;
    if (server === undefined) return;
    this.#manager = new Http1Upstream({ kind: 'http', origin: server.origin, h2: false }, limits, {
      maxConnections: MAX_MANAGER_CONNECTIONS,
      ...(server.caPem !== undefined && { caPem: server.caPem }),
    });
    this.#balancer = new Balancer({ targets: [this.#manager], now: () => performance.now() });
  }

  handle(context: RequestContext): void {
    const { admin, log } = this.#options;
    const { client, url, response } = context;
    const destination = destinationOf(context);
    if (destination === undefined) {
      client.refuse(400);
      return;
    }
    context.host = destination.host?.text;
    if (admin.owns(url)) {
      void answerAdmin(context, { admin, log });
      return;
    }
    const verdict = decideCompanion(destination);
    if (verdict === undefined) {
      client.refuse(400);
    } else if (verdict.kind === 'challenge') {
      this.#challenge(context, destination);
    } else {
      client.endAfterResponse();
      sendPage(response, REDIRECT, { location: verdict.location });
    }
  }

  /** Ends when the requests under way have ended. */
  async close(): Promise<void> {
    await this.#manager?.close();
  }

  #challenge(context: RequestContext, { path }: Destination): void {
    const { client, host, method, headers, connection } = context;
    if (method !== 'GET' && method !== 'HEAD') {
      client.refuse(405, { allow: 'GET, HEAD' });
    } else if (this.#balancer === undefined) {
      client.refuse(404);
    } else {
      const { client: peer, local, scheme } = connection.info;
      const forwarding = { client: peer, localPort: local.port, scheme, host };
      new Exchange(context, {
        balancer: this.#balancer,
        log: this.#options.log,
        head: { method, path, host, headers: requestHeaders(headers, forwarding) },
        bodyTimeoutMs: this.#options.limits.bodyTimeoutMs,
        onOver: () => undefined,
        responseHeaders: (fields) => fields,
      }).send();
    }
  }
}
