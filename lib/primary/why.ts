/**
 * Why a certificate is served: asks every part of the program for what it knows of a name, then plays three clients, and says what it
 * all comes to. Traffic goes on meanwhile and waits for nothing here.
 *
 * In this order, so that no question changes the answer to the next: the workers and the caches as they are; the sources, which are
 * only read; last the handshakes, which may fill caches as any client's do. Where a handshake would order a certificate, none
 * is made.
 */
import { X509Certificate } from 'node:crypto';
import type { Settings } from '../config/settings.js';
import { diagnose } from '../diagnosis/diagnose.js';
import type { ClientFacts, WhyFacts, WhyReport } from '../diagnosis/report.js';
import { addressText, type Address } from '../domain/address.js';
import type { CertificatePair } from '../domain/certificate.js';
import type { AskedWorker, NameFacts } from '../domain/inspection.js';
import { splitChain } from '../domain/pem.js';
import { Router } from '../domain/router.js';
import {
  addressName,
  isAddress,
  isWildcard,
  normaliseDomain,
  wildcardOf,
  type ServerName,
} from '../domain/server-name.js';
import { AddressList } from '../net/address-list.js';
import type { Resolver } from '../resolver/resolver.js';
import { probeHandshakes } from './handshake-probe.js';

export interface WhyParts {
  readonly settings: Settings;
  readonly resolver: Resolver;
  readonly addresses: readonly Address[];
  /** Those of the program; listeners may have others. */
  readonly defaultPairs: readonly CertificatePair[];
  /** The date, milliseconds since 1970. */
  date(this: void): number;
  askWorkers(this: void, name: ServerName): Promise<readonly AskedWorker[]>;
}

/** How long a source may take: longer than a look-up waits, to tell a slow one from a dead one. */
const SOURCE_LIMIT_MS = 5_000;
/** Added to what a handshake may wait for its certificate. */
const HANDSHAKE_GRACE_MS = 2_000;

/** @param asked as a person typed it; empty: a client without a server name. Never rejects for what sources or workers do. */
export async function why(asked: string, parts: WhyParts): Promise<WhyReport> {
  const { settings, resolver } = parts;
  const name = normaliseDomain(asked) ?? addressName(asked);
  const route = routeOf(name, settings);
  const workers = name === undefined ? [] : await parts.askWorkers(name);
  const above = settings.wildcards && name !== undefined ? wildcardOf(name) : undefined;
  const inspect = (one: ServerName): Promise<NameFacts> => resolver.inspect(one, SOURCE_LIMIT_MS);
  const [facts, wildcard] = await Promise.all([name && inspect(name), above && inspect(above)]);
  const noHandshake = obstacleToHandshake(asked, name, facts);
  const clients = noHandshake === undefined ? await handshakes(name, parts) : [];
  const whole: WhyFacts = {
    asked,
    ...(name !== undefined && { name }),
    atMs: parts.date(),
    settings: {
      certCacheDurationMs: settings.certCacheDurationMs,
      lruCacheDurationMs: settings.lruCacheDurationMs,
      lookupTimeoutMs: settings.lookupTimeoutMs,
      absentGraceMs: settings.absentGraceMs,
      wildcards: settings.wildcards,
      rejectsUnknownNames: settings.unknownName === 'reject',
    },
    ...(route !== undefined && { route }),
    workers,
    ...(facts && { facts }),
    ...(wildcard && { wildcard }),
    clients,
    ...(noHandshake !== undefined && { noHandshake }),
  };
  return { ...whole, diagnosis: diagnose(whole) };
}

/** Why no handshake is made, as a clause. */
function obstacleToHandshake(
  asked: string,
  name: ServerName | undefined,
  facts: NameFacts | '' | undefined,
): string | undefined {
  if (name === undefined) return asked === '' ? undefined : 'no client can send it as a server name';
  if (isWildcard(name)) return 'a wildcard is no server name';
  if (isAddress(name)) return 'an address is no server name';
  return facts && wouldOrder(facts) ? 'it would start an order' : undefined;
}

/** Whether a look-up by a handshake would order a certificate now. */
function wouldOrder({ primary, sources }: NameFacts): boolean {
  if (primary.cached !== undefined || primary.negative !== undefined) return false;
  if (sources.some(({ candidates }) => candidates.some(({ verdict }) => verdict !== 'unusable')))
    return false;
  const orders = sources.find((source) => source.orders?.isEnabled)?.orders;
  if (orders === undefined) return false;
  const isInTheWay =
    orders.obstacle !== undefined ||
    orders.stage !== undefined ||
    orders.heldMs > 0 ||
    orders.activeElsewhereMs > 0 ||
    orders.unable !== undefined ||
    (orders.ask !== undefined && orders.ask.says !== 'yes');
  return !isInTheWay;
}

function handshakes(name: ServerName | undefined, parts: WhyParts): Promise<ClientFacts[]> {
  const { settings, addresses, defaultPairs } = parts;
  const [address] = addresses;
  if (address === undefined) return Promise.resolve([]);
  const proxies = new AddressList(settings.acceptProxyProtocol);
  const pairs = [...defaultPairs, ...settings.listen.flatMap((listener) => listener.defaultPairs ?? [])];
  return probeHandshakes({
    address,
    serverName: name,
    sendsProxyHeader: (peer) => proxies.has(peer),
    defaults: new Set(pairs.map(leafFingerprintOf)),
    timeoutMs: settings.lookupTimeoutMs + HANDSHAKE_GRACE_MS,
  });
}

function leafFingerprintOf({ chainPem }: CertificatePair): string {
  const leaf = new X509Certificate(splitChain(chainPem)[0] ?? '');
  return leaf.fingerprint256.replaceAll(':', '').toLowerCase();
}

function routeOf(name: ServerName | undefined, { routes }: Settings): WhyFacts['route'] {
  const router = new Router(routes.map((route) => ({ ...route, target: route })));
  const route = router.routeOf(name);
  if (route === undefined) return undefined;
  return {
    pattern: route.pattern ?? 'every other name',
    backends: route.backends.map((backend) =>
      backend.kind === 'tcp' ? `tcp ${addressText(backend.address)}` : backend.origin,
    ),
  };
}
