/** Frames for the tests of the dashboard's pure parts. */
import type { Frame, Sample } from '../../../lib/dashboard/frame.js';
import type { HealthFacts } from '../../../lib/dashboard/health.js';
import { Recent } from '../../../lib/dashboard/rates.js';
import { Numbers } from '../../../lib/dashboard/frame.js';
import { NO_TRAFFIC } from '../../support/no-traffic.js';
import type { StatusReport } from '../../../lib/domain/status-report.js';

export const NOW_MS = Date.UTC(2030, 0, 1);

export function status(changes: Partial<StatusReport> = {}): StatusReport {
  return {
    ...{
      version: '0.5.0',
      node: '26.0.0',
      pid: 42,
      atMs: NOW_MS,
      uptimeMs: 3_600_000,
      listeners: [],
      adminListeners: [],
    },
    workers: [{ pid: 43, state: 'accepting', uptimeMs: 3_500_000 }],
    cache: { entries: 3, bytes: 9_000, maxBytes: 1_000_000, negatives: 0, maxNegatives: 100 },
    sources: [
      { name: 'redis', state: 'up' },
      { name: 'manager', state: 'up' },
    ],
    orders: [],
    certificates: { expiring: [], expiringCount: 0, outdated: [], outdatedCount: 0 },
    traffic: NO_TRAFFIC,
    ...changes,
  };
}

/** Ten seconds after each other. */
export function frames(
  before: readonly Sample[],
  now: readonly Sample[],
  changes?: Partial<StatusReport>,
): Frame[] {
  const later = status(changes);
  const earlier = { ...later, atMs: later.atMs - 10_000, uptimeMs: later.uptimeMs - 10_000 };
  return [
    { status: earlier, series: before },
    { status: later, series: now },
  ];
}

export function facts(
  before: readonly Sample[],
  now: readonly Sample[],
  changes?: Partial<StatusReport>,
): HealthFacts {
  const recent = new Recent();
  for (const frame of frames(before, now, changes)) recent.add(frame);
  return {
    status: status(changes),
    numbers: new Numbers(now),
    now: recent.over(5),
    minute: recent.within(60),
  };
}

export function counter(name: string, value: number, labels: Readonly<Record<string, string>> = {}): Sample {
  return { name: `peter_sslers_${name}`, labels, value };
}

export function histogram(
  name: string,
  count: number,
  sum: number,
  labels: Readonly<Record<string, string>> = {},
): Sample {
  return { name: `peter_sslers_${name}`, labels, count, sum };
}
