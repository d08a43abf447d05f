/**
 * The tables of the page: what each row says. PURE.
 */
import { durationText } from '../base/duration-text.js';
import { DEFAULT_REASONS } from '../domain/default-reason.js';
import type { HealthFacts } from './health.js';
import { bytesText, countText, percentText, rateText, tookText, UNKNOWN } from './text.js';
import { REASON_WORDS, SOURCE_LEVELS, sourceLabel, tierWord, type Level } from './words.js';

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

export function backendRows({ numbers, now, minute }: HealthFacts): Row[] {
  const connections = (state: string): string =>
    countText(numbers.value('peter_sslers_backend_connections', { state }));
  const leftOut = numbers.value('peter_sslers_backends_left_out');
  const failures = ['connect', 'timeout', 'broken', 'malformed'].map((kind) => ({
    kind,
    count: minute.growth('peter_sslers_backend_failures_total', { kind }),
  }));
  const failed = failures.filter(({ count }) => count > 0);
  const facts: readonly (readonly [string, string | Cell])[] = [
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
