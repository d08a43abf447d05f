/**
 * The way of a certificate as a row of stations: the client, the caches, the sources in their order, the default. PURE.
 */
import type { StatusReport } from '../domain/status-report.js';
import type { Numbers } from './frame.js';
import type { Rates } from './rates.js';
import { bytesText, counted, countText, percentText, rateText, tookText, UNKNOWN } from './text.js';
import { SOURCE_LEVELS, sourceLabel, tierWord, type Level } from './words.js';

/** How one comes to a station. */
export interface Edge {
  /** Undefined: not known yet. */
  readonly perSecond: number | undefined;
  /** What goes here, and how long it takes: short. */
  readonly labels: readonly string[];
  /** It was not gone, on the way of one name. */
  readonly isDashed?: boolean;
}

export interface Station {
  readonly id: string;
  readonly title: string;
  /** Below the title: where it is, or what for. Of a source its state is there. */
  readonly kind: string;
  readonly edge?: Edge;
  readonly state?: { readonly level: Level; readonly word: string };
  /** The one number of it. */
  readonly figure?: { readonly value: string; readonly unit: string };
  /** What share of all handshakes it answers, 0 to 1; the tier gives the colour. */
  readonly share?: { readonly value: number; readonly tier: string };
  /** Plain lines. */
  readonly notes: readonly string[];
  /** On the way of one name: it ends here. */
  readonly isEnd?: boolean;
  readonly isFaint?: boolean;
}

export interface WayFacts {
  readonly status: StatusReport;
  readonly numbers: Numbers;
  readonly rates: Rates;
}

const HANDSHAKES = 'peter_sslers_handshakes_total';
const CHOICE = 'peter_sslers_certificate_choice_seconds';
const LOOKUPS = 'peter_sslers_source_lookup_seconds';
const MAX_NOTE = 80;

export function wayOf(facts: WayFacts): Station[] {
  const { status } = facts;
  return [
    clientStation(facts),
    lruStation(facts),
    cacheStation(facts),
    ...status.sources.map((source, place) => sourceStation(facts, source, place)),
    defaultStation(facts),
  ];
}

function clientStation({ numbers, rates }: WayFacts): Station {
  const failed = rates.perSecond('peter_sslers_handshakes_failed_total');
  return {
    ...{ id: 'client', title: 'Clients', kind: 'TLS handshakes' },
    figure: figure(rates, rates.perSecond(HANDSHAKES)),
    notes: [
      ...(numbers.has('peter_sslers_connections_open')
        ? [`${countText(numbers.value('peter_sslers_connections_open'))} connected`]
        : []),
      ...(failed > 0 ? [`${rateText(failed)} failed`] : []),
    ],
  };
}

function lruStation({ status, numbers, rates }: WayFacts): Station {
  return {
    ...{
      id: 'lru',
      title: tierWord('lru'),
      kind: status.workers.length === 0 ? 'in the workers' : `in ${counted(status.workers.length, 'worker')}`,
    },
    edge: edge(rates, rates.perSecond(HANDSHAKES), rates.meanMs(CHOICE)),
    ...answered(rates, 'lru'),
    notes: [
      counted(numbers.value('peter_sslers_lru_entries'), 'context'),
      ...negatives(numbers.value('peter_sslers_lru_negatives')),
    ],
  };
}

function cacheStation({ status: { cache }, rates }: WayFacts): Station {
  const asked = rates.perSecond('peter_sslers_pem_cache_lookups_total');
  return {
    ...{ id: 'cache', title: tierWord('cache'), kind: 'in the primary' },
    edge: edge(rates, asked, rates.meanMs('peter_sslers_bus_resolve_seconds')),
    ...answered(rates, 'cache'),
    notes: [
      `${counted(cache.entries, 'name')}, ${bytesText(cache.bytes)} (${percentText(cache.maxBytes > 0 ? cache.bytes / cache.maxBytes : 0)} full)`,
      ...negatives(cache.negatives),
    ],
  };
}

function sourceStation(
  { rates }: WayFacts,
  { name, state, lastError }: StatusReport['sources'][number],
  place: number,
): Station {
  const source = sourceLabel(name);
  const per = (outcome: string): number => rates.perSecond(LOOKUPS, { source, outcome });
  const others = [
    ['absent', 'has none'],
    ['pending', 'later'],
    ['unavailable', 'cannot tell'],
  ] as const;
  return {
    ...{ id: `source-${place}`, title: `${place + 1}. ${tierWord(name)}`, kind: '' },
    edge: edge(rates, rates.perSecond(LOOKUPS, { source }), rates.meanMs(LOOKUPS, { source })),
    state: { level: SOURCE_LEVELS[state], word: state },
    ...answered(rates, source),
    notes: [
      ...others.flatMap(([outcome, word]) =>
        per(outcome) > 0 ? [`${word}: ${rateText(per(outcome))}`] : [],
      ),
      ...(state !== 'up' && lastError !== undefined ? [shortened(lastError)] : []),
    ],
  };
}

function defaultStation({ rates }: WayFacts): Station {
  return {
    ...{ id: 'default', title: tierWord('default'), kind: 'when nobody has one' },
    edge: edge(
      rates,
      rates.perSecond('peter_sslers_defaults_served_total'),
      rates.meanMs(CHOICE, { tier: 'default' }),
    ),
    ...answered(rates, 'default'),
    notes: [],
  };
}

function answered(rates: Rates, tier: string): Pick<Station, 'figure' | 'share'> {
  const all = rates.perSecond(HANDSHAKES);
  const own = rates.perSecond(HANDSHAKES, { tier });
  return { figure: figure(rates, own), ...(all > 0 && { share: { value: own / all, tier } }) };
}

function figure(rates: Rates, perSecond: number): NonNullable<Station['figure']> {
  return rates.isKnown
    ? { value: countText(perSecond), unit: 'a second' }
    : { value: UNKNOWN, unit: 'a second' };
}

function edge(rates: Rates, perSecond: number, ms: number | undefined): Edge {
  if (!rates.isKnown) return { perSecond: undefined, labels: [UNKNOWN] };
  return { perSecond, labels: [rateText(perSecond), ...(ms === undefined ? [] : [tookText(ms)])] };
}

function negatives(count: number): string[] {
  return count > 0 ? [`${countText(count)} known to have none`] : [];
}

function shortened(text: string): string {
  return text.length > MAX_NOTE ? `${text.slice(0, MAX_NOTE - 1)}…` : text;
}

/** How thick the line of an edge is, in pixels: ten times the rate is six more. */
export function thickness(perSecond: number): number {
  return perSecond <= 0 ? 2 : Math.min(30, 4 + 6 * Math.log10(1 + perSecond));
}

/** How fast the dots of an edge go, in periods a second; 0: they stand. */
export function pace(perSecond: number): number {
  return perSecond <= 0 ? 0 : Math.min(5, 0.5 + Math.log10(1 + perSecond));
}
