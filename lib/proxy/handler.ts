/**
 * What becomes of a request, in this order:
 *
 *  1. Malformed (a missing or double `Host`, or one that is neither a name nor an address): 400. From here on the host is
 *     what `readHost` has read, for the log too.
 *  2. Under the admin prefix: the admin routes, whatever the connection's name, for the manager calls by address.
 *  3. For another name than the connection's certificate covers: 421. By policy (`--unknown-name`) 421 as well where the connection's
 *     name has no certificate.
 *  4. By its host to a route's backends; without any route to the information page; for a host that no route has: 404. One that may
 *     not pass another proxy (`Max-Forwards: 0`) is answered here.
 */
import type { AdminRouter } from '../admin/routes.js';
import type { HeaderSettings, LimitSettings, UnknownNamePolicy } from '../config/settings.js';
import type { Logger } from '../log/logger.js';
import { AddressList } from '../net/address-list.js';
import { answerAdmin } from './answer-admin.js';
import type { LastDestination } from './downstream/client-connection.js';
import { destinationOf, type Destination } from './destination.js';
import { Exchange } from './exchange.js';
import { joinedValues } from './headers/fields.js';
import { FixedFields } from './headers/fixed-fields.js';
import {
  forwardedFields,
  passableFields,
  requestHeaders,
  withField,
  type Forwarding,
} from './headers/headers.js';
import { forwardsLeft, setForwardsLeft } from './headers/max-forwards.js';
import { judgeName } from './downstream/name-policy.js';
import { informationPage, type ErrorStatus, type Page } from './downstream/pages.js';
import { isRequestId, REQUEST_ID } from './downstream/request-id.js';
import type { OpenRoutes } from './open-routes.js';
import type { RequestContext } from './downstream/request-context.js';
import type { Splices } from './tunnel/splice.js';
import type { Balancer } from './upstream/balancer.js';
import type { BackendFailure, Upstream } from './upstream/upstream.js';

export interface HandlerOptions {
  readonly admin: AdminRouter;
  /** Absent: the information page. */
  readonly routes?: OpenRoutes;
  readonly unknownName: UnknownNamePolicy;
  readonly headers: HeaderSettings;
  readonly limits: LimitSettings;
  readonly log: Logger;
  /** How the information page calls this worker. */
  readonly workerName: string;
  /** Takes upgraded connections. */
  readonly splices: Splices;
  /** See `Attempts`. */
  readonly onBackendFailure?: ((kind: BackendFailure) => void) | undefined;
}

/** Where the requests of a connection went last, as the handler that sent them there remembers it. */
interface KnownRoute extends LastDestination {
  readonly balancer: Balancer<Upstream>;
  /** Added to each request; undefined where each has its own: those of a trusted proxy. */
  readonly forwarded: FixedFields | undefined;
}

export class Handler {
  readonly #options: HandlerOptions;
  readonly #trusted: AddressList;
  readonly #hasTrusted: boolean;

  constructor(options: HandlerOptions) {
    this.#options = options;
    const { trustedProxies } = options.headers;
    this.#trusted = new AddressList(trustedProxies);
    this.#hasTrusted = trustedProxies.length > 0;
  }

  handle(context: RequestContext): void {
    const { admin, log, routes, unknownName } = this.#options;
    const { connection } = context;
    if (this.#hasTrusted) this.#takeId(context);
    const destination = destinationOf(context, connection.info.serverName, connection.last?.host);
    if (destination === undefined) {
      this.#refuse(context, 400);
      return;
    }
    context.host = destination.host?.text;
    if (admin.owns(destination.target)) {
      void answerAdmin(context, destination.target, { admin, log });
    } else if (this.#isKnown(connection.last, context, destination) && routes !== undefined) {
      this.#forward(context, destination, routes, connection.last);
    } else {
      const verdict = judgeName(connection.info, destination.host, unknownName, connection);
      if (verdict !== 'serve') this.#refuse(context, 421);
      else if (routes === undefined) this.#answerInformation(context);
      else this.#findRoute(context, destination, routes);
    }
  }

  /** Goes on with the id that a trusted proxy has given the request. */
  #takeId({ client, connection, headers }: RequestContext): void {
    const { client: peer, isClientKnown } = connection.info;
    if (!isClientKnown || !this.#trusted.has(peer.address)) return;
    const id = joinedValues(headers, 'x-request-id');
    if (id !== undefined && isRequestId(id)) client.id = id;
  }

  #isKnown(
    route: LastDestination | undefined,
    { httpVersion }: RequestContext,
    { host }: Destination,
  ): route is KnownRoute {
    return (
      route !== undefined &&
      route.host?.text === host?.text &&
      route.owner === this &&
      route.httpVersion === httpVersion
    );
  }

  #findRoute(context: RequestContext, destination: Destination, routes: OpenRoutes): void {
    const balancer = routes.router.routeOf(destination.host?.name);
    if (balancer === undefined) {
      this.#refuse(context, 404);
      return;
    }
    if (balancer.targets.length === 0) {
      // A tcp route: it is for connections of that server name, which never come here.
      this.#refuse(context, 421);
      return;
    }
    const forwarding = this.#forwarding(context, destination);
    const { host } = destination;
    const route: KnownRoute = {
      owner: this,
      host,
      httpVersion: context.httpVersion,
      balancer,
      forwarded:
        forwarding.trusted === undefined
          ? new FixedFields(forwardedFields(context.headers, forwarding))
          : undefined,
    };
    context.connection.last = route;
    this.#forward(context, destination, routes, route);
  }

  #forward(context: RequestContext, destination: Destination, routes: OpenRoutes, route: KnownRoute): void {
    const { client, headers, method } = context;
    const { balancer, forwarded } = route;
    const forwards = forwardsLeft(method, headers);
    if (forwards === 0) {
      answerAsLast(context);
      return;
    }
    const fields =
      forwarded === undefined
        ? requestHeaders(headers, this.#forwarding(context, destination))
        : passableFields(headers, false);
    if (forwards !== undefined) setForwardsLeft(fields, forwards - 1);
    fields.push(REQUEST_ID, client.id);
    const { log, limits, splices, onBackendFailure } = this.#options;
    routes.hold();
    new Exchange(context, {
      balancer,
      log,
      head: {
        method,
        path: destination.target.pathAndQuery,
        host: destination.host?.text,
        headers: fields,
        neverIndexedNames: context.neverIndexedNames,
        added: forwarded,
      },
      bodyTimeoutMs: limits.bodyTimeoutMs,
      restartWaitMs: limits.backendRestartWaitMs,
      splices,
      tunnelIdleTimeoutMs: limits.tcpIdleTimeoutMs,
      onOver: routes.release,
      responseHeaders: this.#responseHeaders,
      onBackendFailure,
    }).send();
  }

  readonly #responseHeaders = (fields: string[]): string[] => {
    const { hsts } = this.#options.headers;
    return hsts === undefined ? fields : withField(fields, 'Strict-Transport-Security', hsts);
  };

  #refuse(context: RequestContext, status: ErrorStatus): void {
    const { host, url, client } = context;
    const { id } = client;
    const { log } = this.#options;
    if (log.enabled('info')) log.info('request refused', { id, status, host, url });
    client.refuse(status);
  }

  #forwarding({ connection, httpVersion }: RequestContext, { host }: Destination): Forwarding {
    const { via, forwardTlsInfo } = this.#options.headers;
    const { client, isClientKnown, local, scheme, serverName } = connection.info;
    return {
      client,
      localPort: local.port,
      scheme,
      host: host?.text,
      trusted: isClientKnown && this.#trusted.has(client.address) ? this.#trusted : undefined,
      via: via ? httpVersion : undefined,
      tls: forwardTlsInfo
        ? {
            name: serverName ?? '',
            protocol: connection.tls?.protocol ?? '',
            cipher: connection.tls?.cipher ?? '',
          }
        : undefined,
    };
  }

  #answerInformation({ connection, method, client, headers }: RequestContext): void {
    if (method !== 'GET' && method !== 'HEAD') {
      client.refuse(405, { allow: 'GET, HEAD' });
      return;
    }
    const { tls, info } = connection;
    const certificate = tls?.certificate;
    const page: Page = informationPage(
      {
        serverName: info.serverName,
        tier: info.tier ?? 'none: plain HTTP',
        subject: certificate?.subject ?? '(empty)',
        issuer: certificate?.issuer ?? 'unknown',
        notAfter: certificate?.validTo ?? 'unknown',
        fingerprint: certificate?.fingerprint256 ?? 'unknown',
        protocol: tls?.protocol ?? 'unknown',
        cipher: tls?.cipher ?? 'unknown',
        alpn: info.alpn,
        worker: this.#options.workerName,
      },
      joinedValues(headers, 'accept'),
    );
    client.sendPage(page, { 'cache-control': 'no-store' });
  }
}

/** Of this proxy itself a request asks for nothing (OPTIONS); what one consists of is not told (TRACE). */
function answerAsLast({ method, client }: RequestContext): void {
  if (method === 'TRACE') client.refuse(405, { allow: 'GET, HEAD, OPTIONS' });
  else client.send(200, '', {});
}
