/**
 * The way of one name, from the report of `why`: the same stations, and the one where it ends. PURE.
 */
import { durationText } from '../base/duration-text.js';
import type { CauseCode, ClientFacts, WhyReport } from '../diagnosis/report.js';
import { dateText } from '../diagnosis/view.js';
import type { AskedWorker, CachedFacts, NameFacts, SourceFacts, WorkerFacts } from '../domain/inspection.js';
import { counted, listText, tookText } from './text.js';
import type { Station } from './way.js';
import { tierWord, type Level } from './words.js';

/** Causes that lie at a station: a cache that says otherwise, or a name that nobody is asked about. */
const PLACES: Partial<Record<CauseCode, string>> = {
  'no-server-name': 'client',
  'no-name': 'client',
  listener: 'client',
  'listener-fails': 'client',
  'listener-differs': 'client',
  'handshake-failed': 'client',
  'worker-silent': 'lru',
  'worker-has-old': 'lru',
  'worker-has-negative': 'lru',
  'cache-has-old': 'cache',
  'negative-cached': 'cache',
  'error-cached': 'cache',
  'source-down-stale-served': 'cache',
  'absent-grace': 'cache',
  'primary-late': 'cache',
  // It serves on in the workers alone.
  gone: 'lru',
  absent: 'default',
};

/** Causes that lie with whoever orders certificates. */
const ORDERS: readonly CauseCode[] = [
  'ordering',
  'ordering-elsewhere',
  'order-failed',
  'held-off',
  'manager-unable',
  'not-allowed',
  'not-orderable',
  'will-be-ordered',
  'budget-empty',
];

export function whyWay(report: WhyReport): Station[] {
  const { facts, wildcard } = report;
  const stations = [
    clientStation(report),
    ...(facts === undefined ? [] : [lruStation(report.workers), cacheStation(facts), ...sourcesOf(facts)]),
    ...(wildcard === undefined ? [] : sourcesOf(wildcard, wildcard.name)),
    servedStation(report),
  ];
  const end = endOf(report);
  const place = Math.max(
    0,
    stations.findIndex(({ id }) => id === end),
  );
  return stations.map((station, i) => ({
    ...station,
    ...(i === place && { isEnd: true }),
    ...(i > place && station.id !== 'default' && { isFaint: true }),
    edge: { perSecond: undefined, labels: station.edge?.labels ?? [], isDashed: i > place },
  }));
}

/** The station where the question stopped. */
function endOf({ diagnosis, workers, facts, wildcard }: WhyReport): string {
  const place = PLACES[diagnosis.code];
  if (place !== undefined) return place;
  const all = [
    ...(facts?.sources ?? []).map((source, i) => ({ source, id: sourceId(i) })),
    ...(wildcard === undefined
      ? []
      : wildcard.sources.map((source, i) => ({ source, id: sourceId(i, wildcard.name) }))),
  ];
  if (diagnosis.isServed) {
    if (workers.some((worker) => 'isPrimaryLate' in worker && worker.cached !== undefined)) return 'lru';
    if (facts?.primary.cached !== undefined) return 'cache';
    const has = all.find(({ source }) => source.candidates.some(({ verdict }) => verdict === 'best'));
    return has?.id ?? 'default';
  }
  const orders = ORDERS.includes(diagnosis.code)
    ? all.find(({ source }) => source.orders !== undefined)
    : undefined;
  const troubled = all.find(({ source: { said, candidates } }) => said !== 'absent' || candidates.length > 0);
  return (orders ?? troubled)?.id ?? 'default';
}

function clientStation({ asked, name, route }: WhyReport): Station {
  return {
    ...{ id: 'client', title: 'Client', kind: asked === '' ? 'without a server name' : (name ?? asked) },
    notes: [
      ...(name !== undefined && name !== asked ? [`asked for as ${asked}`] : []),
      route === undefined ? 'no route' : `route ${route.pattern} to ${listText(route.backends)}`,
    ],
  };
}

function lruStation(workers: readonly AskedWorker[]): Station {
  const known = workers.filter((worker): worker is WorkerFacts => 'isPrimaryLate' in worker);
  const fresh = known.filter(({ cached }) => cached?.state === 'fresh');
  const stale = known.filter(({ cached }) => cached?.state === 'stale');
  const negative = known.filter((worker) => worker.negative !== undefined);
  const silent = workers.length - known.length;
  const of = ` of ${counted(workers.length, 'worker')}`;
  const notes = [
    ...(fresh[0]?.cached === undefined ? [] : [`${fresh.length}${of}: ${cachedText(fresh[0].cached)}`]),
    ...(stale.length > 0 ? [`${stale.length}${of}: stale`] : []),
    ...(negative.length > 0 ? [`${negative.length}${of}: remembers that there is none`] : []),
    ...(silent > 0 ? [`${silent}${of}: could not be asked`] : []),
    ...(known.some(({ isPrimaryLate }) => isPrimaryLate) ? ['the primary is late'] : []),
  ];
  const state =
    fresh.length + stale.length > 0
      ? says(
          negative.length > 0 || stale.length > 0 ? 'warn' : 'good',
          fresh.length > 0 ? 'has it' : 'has an old one',
        )
      : negative.length > 0
        ? says('warn', 'says none')
        : says('busy', 'has nothing');
  return { id: 'lru', title: tierWord('lru'), kind: '', state, notes };
}

function cacheStation({ primary: { cached, negative, lookUp, isPurged } }: NameFacts): Station {
  const state =
    cached !== undefined
      ? says(
          cached.state === 'fresh' ? 'good' : 'warn',
          cached.state === 'fresh' ? 'has it' : 'has an old one',
        )
      : negative !== undefined
        ? says('warn', negative.kind === 'absent' ? 'says none' : 'remembers a failure')
        : says('busy', 'has nothing');
  return {
    ...{ id: 'cache', title: tierWord('cache'), kind: '', state },
    notes: [
      ...(cached === undefined ? [] : [cachedText(cached)]),
      ...(negative === undefined
        ? []
        : [
            `for ${durationText(negative.leftMs)} more${negative.reason === undefined ? '' : `: ${negative.reason}`}`,
          ]),
      ...(lookUp === undefined
        ? []
        : [`${lookUp.isOrder ? 'an order' : 'a look-up'} is under way for ${durationText(lookUp.forMs)}`]),
      ...(isPurged ? ['expired by hand'] : []),
    ],
  };
}

function sourcesOf({ sources }: NameFacts, wildcard?: string): Station[] {
  return sources.map((source, place) => ({
    id: sourceId(place, wildcard),
    title: `${place + 1}. ${tierWord(source.name)}`,
    kind: wildcard ?? '',
    edge: { perSecond: undefined, labels: [tookText(source.tookMs)] },
    state: saidState(source),
    notes: sourceNotes(source),
  }));
}

function sourceId(place: number, wildcard?: string): string {
  return wildcard === undefined ? `source-${place}` : `wildcard-${place}`;
}

function saidState({ said, candidates, skipped }: SourceFacts): NonNullable<Station['state']> {
  if (said === 'found') {
    return candidates.some(({ verdict }) => verdict === 'best' || verdict === 'good')
      ? says('good', 'has it')
      : says('bad', 'has none of use');
  }
  if (said === 'absent') return says('busy', 'has none');
  if (said === 'pending') return says('warn', 'will know later');
  return says('bad', skipped === undefined ? 'cannot tell' : 'is skipped');
}

function sourceNotes({ reason, candidates, remarks, skipped, budget, orders }: SourceFacts): string[] {
  return [
    ...(reason === undefined ? [] : [reason]),
    ...candidates.slice(0, 3).map(({ leaf, verdict, reason: why }) => {
      const what =
        leaf === undefined
          ? 'cannot be parsed'
          : `${leaf.key} by ${leaf.issuer}, until ${dateText(leaf.notAfterMs)}`;
      return `${verdict}: ${what}${why === undefined ? '' : ` (${why})`}`;
    }),
    ...remarks.map(({ text }) => text),
    ...(skipped === undefined ? [] : [`skipped for ${durationText(skipped.forMs)}`]),
    ...(budget !== undefined && budget.left < 1 ? [`no request left of ${budget.perSecond} a second`] : []),
    ...(orders?.isEnabled === true
      ? [
          orders.stage === undefined
            ? (orders.obstacle ?? 'it may be ordered')
            : `an order is under way: ${orders.stage}`,
        ]
      : []),
    ...(orders?.lastFailure === undefined
      ? []
      : [
          `the last order failed ${durationText(orders.lastFailure.agoMs)} ago: ${orders.lastFailure.message}`,
        ]),
  ];
}

/** What clients got when they were played. */
function servedStation({
  clients: ofFirst,
  otherListeners = [],
  noHandshake,
  diagnosis,
}: WhyReport): Station {
  const clients = [...ofFirst, ...otherListeners];
  const isDefault = clients.some((client) => client.isDefault === true);
  // Mostly all of them got the same.
  const texts = [...new Set(clients.map(clientText))];
  const notes = texts.map((text) => {
    const same = clients.filter((client) => clientText(client) === text);
    return `${listText(same.map(clientTitle))}: ${text}`;
  });
  return {
    ...{ id: 'default', title: isDefault || !diagnosis.isServed ? 'Default' : 'Served', kind: '' },
    state: diagnosis.isServed ? says('good', 'its own certificate') : says('bad', 'not its own'),
    notes: notes.length > 0 ? notes : [`no handshake was made: ${noHandshake ?? ''}`],
  };
}

function clientTitle({ client, listener }: ClientFacts): string {
  return listener === undefined ? client : `${client} on ${listener}`;
}

function clientText({ leaf, isDefault, failure }: ClientFacts): string {
  if (leaf === undefined) return `no handshake, ${failure ?? 'for no known reason'}`;
  return `${isDefault === true ? 'the default, ' : ''}${leaf.key}, until ${dateText(leaf.notAfterMs)}`;
}

function cachedText({ state, tier, ageMs, leftMs, notAfterMs }: CachedFacts): string {
  const left = state === 'fresh' ? `fresh for ${durationText(leftMs)} more` : 'stale';
  return `from ${tierWord(tier)}, ${durationText(ageMs)} old, ${left}; valid until ${dateText(notAfterMs)}`;
}

function says(level: Level, word: string): { readonly level: Level; readonly word: string } {
  return { level, word };
}
