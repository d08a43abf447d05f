/**
 * What becomes of a request on plain HTTP, in this order:
 *
 *  1. Malformed (a missing or double `Host`, or one that is neither a name nor an address): 400.
 *  2. Under the admin prefix: the admin routes, behind authentication, whatever the host: the manager calls by address.
 *  3. For nobody: 400.
 *  4. An HTTP-01 challenge (RFC 8555 §8.3), of a name or of an address (RFC 8738 §3): it goes to the challenge servers, the
 *     manager as a rule, at the root of their origin, with the `Host` kept (`challenge-forwarding.ts`). 404 without a server.
 *  5. For an address: 400.
 *  6. `/.well-known/public/whoami`, by which the manager sees whether it can be reached by a name: likewise.
 *  7. Everything else is redirected to https: 308, with its method, path and query, to the default port.
 *
 * Nothing is proxied to a backend. Below the challenges' folder only what is a token by RFC 8555 goes to the manager: other
 * spellings could be made into another path of it, and its own admin routes lie beside.
 */
import type { AdminRouter } from '../admin/routes.js';
import type { ChallengeSettings, LimitSettings } from '../config/settings.js';
import type { Logger } from '../log/logger.js';
import type { Names } from '../net/names/names.js';
import { answerAdmin } from './answer-admin.js';
import { forwardChallenge, type ChallengeDesk } from './challenge-forwarding.js';
import { ChallengeServers } from './challenge-servers.js';
import { destinationOf, type Destination } from './destination.js';
import { requestHeaders } from './headers/headers.js';
import type { Page } from './downstream/pages.js';
import type { RequestContext } from './downstream/request-context.js';

export type PlainHttpVerdict =
  /** To the challenge servers. */
  { readonly kind: 'challenge' | 'whoami' } | { readonly kind: 'redirect'; readonly location: string };

const CHALLENGE = /^\/\.well-known\/acme-challenge\/[\w-]+(?:\?|$)/;
const WHOAMI = /^\/\.well-known\/public\/whoami(?:\?|$)/;
/** Characters that may not stand in a URL (RFC 3986 §2): they are escaped in a Location. */
const NOT_IN_URL = /[^\w\-.~:/?#[\]@!$&'()*+,;=%]/g;

/**
 * Decides on a request that is well-formed and not the admin routes'.
 *
 * @returns undefined when its host does not fit what it asks for: it is to be answered 400.
 */
export function decidePlainHttp({ host, target }: Destination): PlainHttpVerdict | undefined {
  if (host === undefined) return undefined;
  const path = target.pathAndQuery;
  if (CHALLENGE.test(path)) return { kind: 'challenge' };
  const { name } = host;
  if (name === undefined) return undefined;
  if (WHOAMI.test(path)) return { kind: 'whoami' };
  // `OPTIONS *` has no path.
  const shown = path.startsWith('/') ? path : '/';
  // Node gives the octets of the target as one character each.
  const safe = shown.replace(
    NOT_IN_URL,
    (octet) => `%${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
  return { kind: 'redirect', location: `https://${name}${safe}` };
}

export interface PlainHttpOptions {
  readonly admin: AdminRouter;
  readonly challenges: ChallengeSettings;
  readonly desk: ChallengeDesk;
  readonly limits: LimitSettings;
  readonly names: Names;
  readonly log: Logger;
}

const REDIRECT: Page = {
  status: 308,
  contentType: 'text/plain; charset=utf-8',
  body: '308 Permanent Redirect\n',
};

export class PlainHttpHandler {
  readonly #options: PlainHttpOptions;
  readonly #servers: ChallengeServers;

  constructor(options: PlainHttpOptions) {
    this.#options = options;
    this.#servers = new ChallengeServers(options.challenges, options.limits, options.names);
  }

  handle(context: RequestContext): void {
    const { admin, log } = this.#options;
    const { client } = context;
    const destination = destinationOf(context);
    if (destination === undefined) {
      client.refuse(400);
      return;
    }
    context.host = destination.host?.text;
    if (admin.owns(destination.target)) {
      void answerAdmin(context, destination.target, { admin, log });
      return;
    }
    const verdict = decidePlainHttp(destination);
    if (verdict === undefined) {
      client.refuse(400);
    } else if (verdict.kind === 'redirect') {
      client.sendPage(REDIRECT, { location: verdict.location });
    } else {
      this.#forward(context, destination, verdict.kind === 'challenge');
    }
  }

  /** Ends when the requests under way have ended. */
  async close(): Promise<void> {
    await this.#servers.close();
  }

  #forward(context: RequestContext, destination: Destination, isChallenge: boolean): void {
    const { client, host, method, headers, connection, body } = context;
    if (method !== 'GET' && method !== 'HEAD') {
      client.refuse(405, { allow: 'GET, HEAD' });
    } else if (body !== null) {
      client.refuse(400);
    } else if (this.#servers.isEmpty) {
      client.refuse(404);
    } else {
      const { client: peer, local, scheme } = connection.info;
      const forwarding = { client: peer, localPort: local.port, scheme, host };
      const head = {
        method,
        path: destination.target.pathAndQuery,
        host,
        headers: requestHeaders(headers, forwarding),
      };
      const { desk, log } = this.#options;
      const name = isChallenge ? destination.host?.name : undefined;
      void forwardChallenge(context, head, name, { desk, servers: this.#servers, log });
    }
  }
}
