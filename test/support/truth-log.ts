/**
 * What the program's own log says of the scenario "truth": when workers found the primary late, when sources were skipped, and
 * when all names were looked up afresh.
 */
import type { LogLine } from './program.js';
import type { Span } from './truth-history.js';
import { DURATIONS } from './truth-durations.js';
import { SOURCES, type SourceName } from './truth-plan.js';

/** A worker waits so long for the primary before it says that it is late. */
const DEADLINE_MS = 1_000 * DURATIONS.lookupTimeout + 500;
/** From when something is over to when the last of its effects is. */
const AFTER_MS = 100;
const HOUR_MS = 3_600_000;

/** When workers found the primary late. */
export function breakerSpans(log: readonly LogLine[]): Span[] {
  const spans: Span[] = [];
  const open = new Map<unknown, Span>();
  for (const line of log) {
    const { msg, pid, workerPid } = line;
    const atMs = timeOf(line);
    if (msg.startsWith('the primary does not answer')) {
      const span = { fromMs: atMs - DEADLINE_MS, toMs: Infinity };
      spans.push(span);
      open.set(pid, span);
    } else if (msg === 'the primary answers again' || msg === 'worker died') {
      const span = open.get(msg === 'worker died' ? workerPid : pid);
      if (span !== undefined) span.toMs = atMs + AFTER_MS;
    }
  }
  return spans;
}

/** When each source was skipped, for it had failed too often. */
export function skippedSpans(log: readonly LogLine[]): Record<SourceName, Span[]> {
  const spansOf = (source: SourceName): Span[] => {
    const spans: Span[] = [];
    for (const line of log) {
      if (line.msg.startsWith(`source ${source} is unavailable`)) {
        spans.push({ fromMs: timeOf(line), toMs: Infinity });
      }
      const last = spans.at(-1);
      const isOver = line.msg === `source ${source} answers again`;
      if (isOver && last?.toMs === Infinity) last.toMs = timeOf(line) + AFTER_MS;
    }
    return spans;
  };
  const [directory, redis, manager] = [spansOf(SOURCES[0]), spansOf(SOURCES[1]), spansOf(SOURCES[2])];
  return { directory, redis, manager };
}

/** When all names were to be looked up afresh: an entry of the directory was readable again whose names nobody knew. */
export function freshStarts(log: readonly LogLine[]): number[] {
  return log
    .filter(
      ({ msg, lookedUpAfresh }) => msg === 'the certificate directory is indexed' && lookedUpAfresh === 'all',
    )
    .map(timeOf);
}

/** When a line was written by the system's clock: the program's is stepped by whole hours. */
function timeOf({ time }: LogLine): number {
  const atMs = Date.parse(String(time));
  return atMs - HOUR_MS * Math.round((atMs - Date.now()) / HOUR_MS);
}
