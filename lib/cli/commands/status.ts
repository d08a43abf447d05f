/** `status`: how the program does, on one screen; with `--watch` again every two seconds. */
import { setTimeout as delay } from 'node:timers/promises';
import { durationText } from '../../base/duration-text.js';
import { dateText } from '../../diagnosis/view.js';
import type {
  CertificateStatus,
  Counted,
  SourceStatus,
  StatusReport,
  TrafficStatus,
} from '../../domain/status-report.js';
import { JSON_OPTION, print, type ClientCommand } from '../command.js';
import { backendLines } from './status-backends.js';
import { bytesText, counted, table } from '../table.js';

const WATCH_MS = 2_000;
/** The cursor to the corner, and what is below it erased. */
const CLEAR = '\u001b[H\u001b[2J';

export const STATUS: ClientCommand = {
  name: 'status',
  operands: '',
  says: 'say how the running program does',
  options: { ...JSON_OPTION, watch: { says: 'again every two seconds, until Ctrl-C' } },
  async run(context) {
    const isWatched = context.hasSwitch('watch');
    const { closed } = context.io;
    do {
      const report = await context.ask('status', {});
      if (isWatched && !context.hasSwitch('json')) context.io.stdout(CLEAR);
      print(context, report, () => statusText(report));
      if (isWatched) await delay(WATCH_MS, undefined, { signal: closed }).catch(() => undefined);
    } while (isWatched && closed?.aborted !== true);
    return 0;
  },
};

export function statusText(report: StatusReport): string {
  const { cache, workers, sources, orders, certificates, lastReload, traffic } = report;
  const rows = [
    ['version', `${report.version} on Node ${report.node}, process ${report.pid}`],
    ['up for', durationText(report.uptimeMs)],
    ['listens on', report.listeners.join(', ')],
    [
      'workers',
      workers.map(({ pid, state, uptimeMs }) => `${pid} ${state} ${durationText(uptimeMs)}`).join(', '),
    ],
    [
      'cache',
      `${counted(cache.entries, 'certificate')}, ${bytesText(cache.bytes)} of ${bytesText(cache.maxBytes)}; ${cache.negatives} of ${counted(cache.maxNegatives, 'miss', 'misses')}`,
    ],
    ...sources.map((source) => [`source ${source.name}`, sourceText(source, traffic)]),
    ['handshakes', handshakesText(traffic)],
    ['LRU', hitsText(traffic.lru, 'fresh')],
    ['shared cache', hitsText(traffic.pem, 'fresh')],
    ['defaults served', countedText(traffic.defaults)],
    ['stale served', countedText(traffic.stale)],
    ['requests', countedText(traffic.requests)],
    ['connections', `${traffic.connectionsOpen} open, ${traffic.tunnelsOpen} tunnels`],
    ...backendsText(report),
    ['orders', orders.length === 0 ? 'none under way' : orders.join(', ')],
    ['end within 14 days', certificatesText(certificates.expiring, certificates.expiringCount, endText)],
    ['served outdated', certificatesText(certificates.outdated, certificates.outdatedCount, outdatedText)],
  ];
  if (lastReload !== undefined) {
    const { agoMs, failure } = lastReload;
    rows.push([
      'last reload',
      `${durationText(agoMs)} ago${failure === undefined ? '' : `, refused: ${failure}`}`,
    ]);
  }
  return table(rows);
}

function handshakesText({ handshakes, resumed, failed }: TrafficStatus): string {
  const total = sum(handshakes);
  const by = total === 0 ? '' : ` (${countedText(handshakes)}; ${resumed} resumed)`;
  return `${total}${by}, ${sum(failed)} failed${sum(failed) === 0 ? '' : ` (${countedText(failed)})`}`;
}

/** `97 % of 1200 fresh (stale 20, miss 16)` */
function hitsText(counts: Counted, hit: string): string {
  const total = sum(counts);
  if (total === 0) return 'not asked yet';
  const { [hit]: hits = 0, ...others } = counts;
  const rest = sum(others) === 0 ? '' : ` (${countedText(others)})`;
  return `${Math.floor((hits / total) * 100)} % of ${total} ${hit}${rest}`;
}

/** A program of an earlier version says only how many are left out. */
function backendsText({ backends, traffic }: StatusReport): [string, string][] {
  const { backendFailures, backendsLeftOut } = traffic;
  const failures = sum(backendFailures) === 0 ? '' : countedText(backendFailures);
  return backends === undefined
    ? [['backends', `${backendsLeftOut} left out`]]
    : backendLines(backends, failures);
}

function countedText(counts: Counted): string {
  const entries = Object.entries(counts).sort(([, a], [, b]) => b - a);
  return entries.length === 0 ? 'none' : entries.map(([name, count]) => `${name} ${count}`).join(', ');
}

function sum(counts: Counted): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

function sourceText(
  { name, state, troubledForMs, lastError }: SourceStatus,
  { sources }: TrafficStatus,
): string {
  const asked = sources[name];
  const lookups =
    asked === undefined
      ? ''
      : `; look-ups: ${countedText(asked.outcomes)}, ${durationText(asked.meanMs)} each`;
  if (state === 'up') return `up${lookups}`;
  return `${state} for ${durationText(troubledForMs ?? 0)}: ${lastError ?? ''}${lookups}`;
}

function certificatesText(
  named: readonly CertificateStatus[],
  count: number,
  dates: (one: CertificateStatus) => string,
): string {
  if (count === 0) return 'none';
  const list = named.map((one) => `${one.name} (${dates(one)})`).join(', ');
  return count > named.length ? `${list}, and ${count - named.length} more` : list;
}

function endText({ notAfterMs }: CertificateStatus): string {
  return dateText(notAfterMs);
}

function outdatedText({ notBeforeMs, notAfterMs }: CertificateStatus): string {
  return notBeforeMs === undefined
    ? `expired ${dateText(notAfterMs)}`
    : `not valid before ${dateText(notBeforeMs)}`;
}
