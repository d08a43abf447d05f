/** `status`: how the program does, on one screen; with `--watch` again every two seconds. */
import { setTimeout as delay } from 'node:timers/promises';
import { durationText } from '../../base/duration-text.js';
import { dateText } from '../../diagnosis/view.js';
import type { CertificateStatus, SourceStatus, StatusReport } from '../../domain/status-report.js';
import { JSON_OPTION, print, type ClientCommand } from '../command.js';
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
    do {
      const report = await context.ask('status', {});
      if (isWatched && !context.hasSwitch('json')) context.io.stdout(CLEAR);
      print(context, report, () => statusText(report));
      if (isWatched) await delay(WATCH_MS);
    } while (isWatched);
    return 0;
  },
};

export function statusText(report: StatusReport): string {
  const { cache, workers, sources, orders, certificates, lastReload } = report;
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
      `${counted(cache.entries, 'certificate')}, ${bytesText(cache.bytes)} of ${bytesText(cache.maxBytes)}; ${cache.negatives} of ${counted(cache.maxNegatives, 'miss').replace('misss', 'misses')}`,
    ],
    ...sources.map((source) => [`source ${source.name}`, sourceText(source)]),
    ['orders', orders.length === 0 ? 'none under way' : orders.join(', ')],
    ['end within 14 days', certificatesText(certificates.expiring, certificates.expiringCount)],
    ['served outdated', certificatesText(certificates.outdated, certificates.outdatedCount)],
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

function sourceText({ state, troubledForMs, lastError }: SourceStatus): string {
  if (state === 'up') return 'up';
  return `${state} for ${durationText(troubledForMs ?? 0)}: ${lastError ?? ''}`;
}

function certificatesText(named: readonly CertificateStatus[], count: number): string {
  if (count === 0) return 'none';
  const list = named.map(({ name, notAfterMs }) => `${name} (${dateText(notAfterMs)})`).join(', ');
  return count > named.length ? `${list}, and ${count - named.length} more` : list;
}
