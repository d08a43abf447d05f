/**
 * The tables of the page: what each row says. PURE.
 */
import { durationText } from '../base/duration-text.js';
import type { BackendsReport } from '../domain/backend-status.js';
import { DEFAULT_REASONS } from '../domain/default-reason.js';
import type { HealthFacts } from './health.js';
import { bytesText, counted, countText, percentText, rateText, tookText, UNKNOWN } from './text.js';
import { BACKEND_LEVELS, REASON_WORDS, SOURCE_LEVELS, sourceLabel, tierWord, type Level } from './words.js';

/** A cell that is more than text. */
export interface Cell {
  readonly text: string;
  /** A sign before it. */
  readonly level?: Level;
  /** A bar behind it, 0 to 1. */
  readonly bar?: number;
}

export interface Row {
  readonly key: string;
  readonly cells: readonly (string | Cell)[];
}

const LOOKUPS = 'peter_sslers_source_lookup_seconds';

export function sourceRows({ status, now }: HealthFacts): Row[] {
  return status.sources.map(({ name, state, troubledForMs, lastError }, place) => {
    const source = sourceLabel(name);
    const outcome = (which: string): string => rateText(now.perSecond(LOOKUPS, { source, outcome: which }));
    const since = troubledForMs === undefined ? '' : ` for ${durationText(troubledForMs)}`;
    return {
      key: `${place} ${name}`,
      cells: [
        `${place + 1}. ${tierWord(name)}`,
        { text: `${state}${since}`, level: SOURCE_LEVELS[state] },
        outcome('found'),
        outcome('absent'),
        outcome('unavailable'),
        tookText(now.meanMs(LOOKUPS, { source })),
        lastError ?? '',
      ],
    };
  });
}

export function defaultRows({ numbers, now }: HealthFacts): Row[] {
  const name = 'peter_sslers_defaults_served_total';
  const rows = DEFAULT_REASONS.map((reason) => ({
    reason,
    count: numbers.value(name, { reason }),
    rate: now.perSecond(name, { reason }),
  })).filter(({ count }) => count > 0);
  const most = Math.max(1, ...rows.map(({ count }) => count));
  return rows
    .sort((one, other) => other.count - one.count)
    .map(({ reason, count, rate }) => ({
      key: reason,
      cells: [REASON_WORDS[reason], { text: countText(count), bar: count / most }, rateText(rate)],
    }));
}

export function workerRows({ status }: HealthFacts): Row[] {
  const levels = { accepting: 'good', starting: 'busy', draining: 'warn' } as const;
  return status.workers.map(({ pid, state, uptimeMs }) => ({
    key: String(pid),
    cells: [String(pid), { text: state, level: levels[state] }, durationText(uptimeMs)],
  }));
}

export function processRows({ numbers, now }: HealthFacts): Row[] {
  const memory = 'peter_sslers_process_resident_memory_bytes';
  return numbers.valuesOf(memory, 'process').map((process) => {
    const delay = numbers.has('peter_sslers_event_loop_delay_seconds')
      ? tookText(numbers.value('peter_sslers_event_loop_delay_seconds', { process, share: 'p99' }) * 1_000)
      : UNKNOWN;
    return {
      key: process,
      cells: [
        process,
        percentText(now.perSecond('peter_sslers_process_cpu_seconds_total', { process })),
        bytesText(numbers.value(memory, { process })),
        delay,
        countText(numbers.value('peter_sslers_process_open_fds', { process })),
      ],
    };
  });
}

/** Those in trouble first; with many backends, only the first of them. */
export function backendRows({ status: { backends } }: HealthFacts): Row[] {
  const seen = new Map<string, number>();
  return (backends?.backends ?? []).map(({ name, pattern, state, busy, idle, workers, trouble }) => {
    const route = pattern ?? 'every other name';
    // A route may have a backend twice.
    const nth = seen.get(`${route} ${name}`) ?? 0;
    seen.set(`${route} ${name}`, nth + 1);
    const since =
      trouble === undefined
        ? ''
        : ` in ${trouble.workers} of ${counted(workers, 'worker')} for ${durationText(trouble.forMs)}`;
    return {
      key: `${nth} ${route} ${name}`,
      cells: [
        name,
        route,
        { text: `${state}${since}`, level: BACKEND_LEVELS[state] },
        countText(busy),
        countText(idle),
        trouble?.lastError ?? '',
      ],
    };
  });
}

export function backendFacts({ status, numbers, now, minute }: HealthFacts): Row[] {
  const connections = (state: string): string =>
    countText(numbers.value('peter_sslers_backend_connections', { state }));
  const leftOut = numbers.value('peter_sslers_backends_left_out');
  const failures = ['connect', 'timeout', 'broken', 'malformed'].map((kind) => ({
    kind,
    count: minute.growth('peter_sslers_backend_failures_total', { kind }),
  }));
  const failed = failures.filter(({ count }) => count > 0);
  const { backends } = status;
  const silent = backends?.silentWorkers ?? [];
  const facts: readonly (readonly [string, string | Cell])[] = [
    ...(backends === undefined ? [] : [['up', upCell(backends)] as const]),
    ...(silent.length === 0
      ? []
      : [['workers that tell nothing', { text: silent.join(', '), level: 'warn' }] as const]),
    ['connections', `${connections('busy')} busy, ${connections('idle')} idle`],
    ['requests', rateText(now.perSecond('peter_sslers_requests_total', { by: 'backend' }))],
    ['mean time of a request', tookText(minute.meanMs('peter_sslers_request_seconds', { by: 'backend' }))],
    ['left out after failures', { text: countText(leftOut), level: leftOut > 0 ? 'warn' : 'good' }],
    [
      'failures in the last minute',
      failed.length === 0
        ? { text: 'none', level: 'good' }
        : {
            text: failed.map(({ kind, count }) => `${kind} ${countText(count)}`).join(', '),
            level: 'warn',
          },
    ],
    ['WebSockets and TCP', countText(numbers.value('peter_sslers_tunnels_open'))],
  ];
  return facts.map(([label, value]) => ({ key: label, cells: [label, value] }));
}

function upCell({ count, upCount, workers, silentWorkers }: BackendsReport): string | Cell {
  if (count === 0) return silentWorkers.length < workers ? 'none is set' : UNKNOWN;
  return {
    text: `${countText(upCount)} of ${countText(count)}`,
    level: upCount === count ? 'good' : 'warn',
  };
}

export function orderRows({ numbers }: HealthFacts): Row[] {
  const results = numbers
    .valuesOf('peter_sslers_orders_total', 'result')
    .map((result) => ({ result, count: numbers.value('peter_sslers_orders_total', { result }) }))
    .filter(({ count }) => count > 0)
    .map(({ result, count }) => `${result} ${countText(count)}`);
  const gauge = (name: string): string => countText(numbers.value(`peter_sslers_orders_${name}`));
  return [
    ['running, waiting for a slot', `${gauge('running')}, ${gauge('queued')}`],
    ['not ordered for a while', gauge('held_off')],
    ['since the start', results.length === 0 ? 'none' : results.join(', ')],
  ].map(([label = '', value = '']) => ({ key: label, cells: [label, value] }));
}
