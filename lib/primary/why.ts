/**
 * Why a certificate is served: asks every part of the program for what it knows of a name, then plays clients of three kinds, and
 * says what it all comes to. Traffic goes on meanwhile and waits for nothing here.
 *
 * In this order, so that no question changes the answer to the next: the workers and the caches as they are; the sources, which are
 * only read; last the handshakes, which may fill caches as any client's do. Where a handshake would order or mint a certificate, or
 * where no worker answers, none is made.
 */
import { randomBytes } from 'node:crypto';
import type { Settings } from '../config/settings.js';
import { diagnose } from '../diagnosis/diagnose.js';
import { WOULD_ORDER, type WhyFacts, type WhyReport } from '../diagnosis/report.js';
import { addressText } from '../domain/address.js';
import type { AskedWorker, NameFacts } from '../domain/inspection.js';
import { Router } from '../domain/router.js';
import { isAddress, isWildcard, wildcardOf, type ServerName } from '../domain/server-name.js';
import { typedName } from '../domain/typed-name.js';
import type { Resolver } from '../resolver/resolver.js';
import { playClients, playRsaClient, type WhyClientsParts } from './why-clients.js';

export interface WhyParts extends Omit<WhyClientsParts, 'marker'> {
  readonly settings: Settings;
  readonly resolver: Resolver;
  /** The date, milliseconds since 1970. */
  date(this: void): number;
  askWorkers(this: void, name: ServerName): Promise<readonly AskedWorker[]>;
  /** Tells the workers by what they know the handshakes of the program itself, so that they count for no client's. Never rejects. */
  announce(this: void, marker: string, forMs: number): Promise<unknown>;
}

/** How long a source may take: longer than a look-up waits, to tell a slow one from a dead one. */
const SOURCE_LIMIT_MS = 5_000;
/** What the caches know must last for longer than the sources and the handshakes may take, to keep a handshake from an order. */
const SURE_FOR_MS = 30_000;
/** Far longer than the handshakes take: if the workers are not told that they are over. */
const MARKED_FOR_MS = 300_000;

/** @param asked as a person typed it; empty: a client without a server name. Never rejects for what sources or workers do. */
export async function why(asked: string, parts: WhyParts): Promise<WhyReport> {
  const marker = `peter-sslers-proxy/${randomBytes(16).toString('hex')}`;
  const announced = parts.announce(marker, MARKED_FOR_MS);
  try {
    return await explain(asked, { ...parts, marker, announced });
  } finally {
    void parts.announce(marker, 0);
  }
}

interface MarkedParts extends WhyParts {
  readonly marker: string;
  /** The workers know of the marker. */
  readonly announced: Promise<unknown>;
}

async function explain(asked: string, parts: MarkedParts): Promise<WhyReport> {
  const { settings, resolver } = parts;
  const name = typedName(asked);
  const route = routeOf(name, settings);
  const workers = name === undefined ? [] : await parts.askWorkers(name);
  const above = settings.wildcards && name !== undefined ? wildcardOf(name) : undefined;
  const inspect = (one: ServerName): Promise<NameFacts> => resolver.inspect(one, SOURCE_LIMIT_MS);
  const [facts, wildcard] = await Promise.all([name && inspect(name), above && inspect(above)]);
  const noHandshake = obstacleToHandshake(asked, name, workers, facts);
  await parts.announced;
  const played = noHandshake === undefined ? await playClients(name, parts) : { clients: [] };
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
    ...played,
    ...(noHandshake !== undefined && { noHandshake }),
  };
  const diagnosis = diagnose(whole);
  if (diagnosis.code !== 'served' || played.clients.length < 2) return { ...whole, diagnosis };
  const withRsa = { ...whole, clients: [...played.clients, ...(await playRsaClient(name, parts))] };
  return { ...withRsa, diagnosis: diagnose(withRsa) };
}

/** Why no handshake is made, as a clause. */
function obstacleToHandshake(
  asked: string,
  name: ServerName | undefined,
  workers: readonly AskedWorker[],
  facts: NameFacts | '' | undefined,
): string | undefined {
  if (name === undefined) return asked === '' ? undefined : 'no client can send it as a server name';
  if (isWildcard(name)) return 'a wildcard is no server name';
  if (isAddress(name)) return 'an address is no server name';
  if (workers.length > 0 && workers.every((worker) => 'failure' in worker)) return 'no worker answers';
  if (!facts || isSettled(facts)) return undefined;
  if (wouldOrder(facts)) return WOULD_ORDER;
  return wouldMint(facts) ? 'it would have a certificate minted' : undefined;
}

/** Whether the caches, or a source that has a good certificate, keep a handshake from more than a look-up. */
function isSettled({ primary: { cached, negative, isPurged }, sources }: NameFacts): boolean {
  if ([cached, negative].some((known) => known !== undefined && known.leftMs > SURE_FOR_MS)) return true;
  return (
    sources
      // What copies have of a name that was expired by hand does not keep the authority from an order.
      .filter(({ role }) => !isPurged || role !== 'copy')
      .flatMap(({ candidates }) => candidates)
      .some(({ verdict, reason }) => (verdict === 'best' || verdict === 'good') && reason === undefined)
  );
}

/** Whether a look-up by a handshake might order a certificate now. */
function wouldOrder({ sources }: NameFacts): boolean {
  const manager = sources.find((source) => source.orders?.isEnabled);
  const orders = manager?.orders;
  if (manager === undefined || orders === undefined) return false;
  // An outage orders nothing. What one entry is ill with may.
  if (manager.said !== 'absent' && manager.scope !== 'name') return false;
  const isInTheWay =
    orders.obstacle !== undefined ||
    orders.stage !== undefined ||
    orders.heldMs > 0 ||
    orders.activeElsewhereMs > 0 ||
    orders.unable !== undefined ||
    (orders.ask !== undefined && orders.ask.says !== 'yes');
  return !isInTheWay;
}

function wouldMint({ sources }: NameFacts): boolean {
  return sources.some(({ remarks }) => remarks.some(({ kind }) => kind === 'would mint'));
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
