/**
 * The lines of a status about backends: one that sums up, and one for each that is in trouble. PURE.
 */
import { durationText } from '../../base/duration-text.js';
import { worstFirst } from '../../domain/backend-order.js';
import type { BackendsReport, BackendStatus } from '../../domain/backend-status.js';
import { counted } from '../table.js';

/** Backends that are named: with hundreds of them a status is still one screen. */
const MAX_NAMED = 8;
/** An error is one clause. */
const MAX_ERROR_LENGTH = 160;
/** What would end a line, or move a terminal's cursor: part of an error may come from a backend. */
const UNSAFE = /[\s\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/gu;

/** @param failures what is said of failures since the start. Empty: there were none. */
export function backendLines(report: BackendsReport, failures: string): [label: string, text: string][] {
  const { backends, silentWorkers, workers } = report;
  const troubled = worstFirst(backends.filter(({ state }) => state !== 'up'));
  const more = troubled.length - MAX_NAMED;
  const lines: [string, string][] = [
    ['backends', [summary(report), ...(failures === '' ? [] : [`failures: ${failures}`])].join('; ')],
    ...troubled.slice(0, MAX_NAMED).map((one): [string, string] => ['backend', troubleText(one)]),
  ];
  if (more > 0) lines.push(['backend', `and ${more} more in trouble: --json names them all`]);
  if (silentWorkers.length > 0) lines.push(['backends', silentText(silentWorkers, workers)]);
  return lines;
}

/** `2 of 3 up, with 1 busy and 4 idle connections` */
function summary({ backends, count, upCount, silentWorkers, workers }: BackendsReport): string {
  if (count === 0) return silentWorkers.length === workers && workers > 0 ? 'not known' : 'none';
  const says = upCount === count ? `${count} up` : `${upCount} of ${count} up`;
  if (upCount === 0) return says;
  const up = backends.filter(({ state }) => state === 'up');
  const sum = (of: 'busy' | 'idle'): number => up.reduce((total, one) => total + one[of], 0);
  return `${says}, with ${sum('busy')} busy and ${sum('idle')} idle connections`;
}

/** `http://127.0.0.1:8080 (www.example.com): left out in 2 of 2 workers for 12 s: connect ECONNREFUSED 127.0.0.1:8080` */
function troubleText({ name, pattern, state, workers, trouble }: BackendStatus): string {
  const said = `${name} (${pattern ?? 'every other name'}): ${state}`;
  if (trouble === undefined) return said;
  const where = `in ${trouble.workers} of ${counted(workers, 'worker')} for ${durationText(trouble.forMs)}`;
  const error = clause(trouble.lastError);
  return `${said} ${where}${error === '' ? '' : `: ${error}`}`;
}

function silentText(silent: readonly number[], workers: number): string {
  const processes = `process${silent.length === 1 ? '' : 'es'} ${silent.join(', ')}`;
  const [has, knows] = silent.length === 1 ? ['has', 'it knows'] : ['have', 'they know'];
  return `${silent.length} of ${counted(workers, 'worker')} ${has} not answered in time (${processes}): what ${knows} of backends is missing`;
}

function clause(error: string): string {
  const text = error.replaceAll(UNSAFE, ' ').trim();
  return text.length > MAX_ERROR_LENGTH ? `${text.slice(0, MAX_ERROR_LENGTH - 1)}…` : text;
}
