/**
 * What the scenario "truth" says of itself.
 */
import type { LogLine } from './program.js';
import { overlaps, type History, type Span } from './truth-history.js';
import { DURATIONS, type Judgement, type Oracle } from './truth-oracle.js';
import { SOURCES } from './truth-plan.js';

/** A worker waits so long for the primary before it says that it is late. */
const DEADLINE_MS = 1_000 * DURATIONS.lookupTimeout + 500;

/** When workers found the primary late, by their logs. */
export function breakerSpans(log: readonly LogLine[]): Span[] {
  const spans: Span[] = [];
  const open = new Map<unknown, Span>();
  for (const { msg, pid, workerPid, time } of log) {
    const atMs = Date.parse(String(time));
    if (msg.startsWith('the primary does not answer')) {
      const span = { fromMs: atMs - DEADLINE_MS, toMs: Infinity };
      spans.push(span);
      open.set(pid, span);
    } else if (msg === 'the primary answers again' || msg === 'worker died') {
      const span = open.get(msg === 'worker died' ? workerPid : pid);
      if (span !== undefined) span.toMs = atMs + 100;
    }
  }
  return spans;
}

/** One line: handshakes, changes, and the longest time from a change to its first service. */
export function summarise(
  judgements: readonly Judgement[],
  counts: ReadonlyMap<string, number>,
  history: History,
  oracle: Oracle,
): string {
  const failed = judgements.filter(({ visit }) => visit.leaf === undefined).length;
  const decided = judgements.filter(({ right }) => right.size === 1).length;
  const kinds = [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([kind, count]) => `${kind} ${count}`);
  const share = Math.round((100 * decided) / judgements.length);
  return [
    `${judgements.length} handshakes (${share} % with one right leaf alone, ${failed} failed with a killed worker)`,
    kinds.join(', '),
    `longest from change to first service ${describeTimes(judgements, history, oracle)}`,
  ].join('; ');
}

/**
 * For each source, of all certificates that were the best as soon as they were there: how long it took until the first client
 * had one. In brackets the same of those where something stood still meanwhile.
 */
function describeTimes(judgements: readonly Judgement[], history: History, oracle: Oracle): string {
  const servedMs = new Map<string, number>();
  for (const { visit } of judgements) {
    if (visit.leaf === undefined) continue;
    servedMs.set(visit.leaf, Math.min(servedMs.get(visit.leaf) ?? Infinity, visit.endedMs));
  }
  const beganMs = Math.min(...servedMs.values());
  const longest = new Map<string, number>();
  for (const { name, source, leaf, fromMs, sureMs } of history.arrivals()) {
    const firstMs = servedMs.get(leaf);
    // What was there before the first client has not changed.
    if (firstMs === undefined || fromMs < beganMs || oracle.bestAt(name, sureMs) !== leaf) continue;
    const isDisturbed = history.standstills.some((span) => overlaps(span, fromMs, firstMs));
    const key = `${source} ${String(isDisturbed)}`;
    longest.set(key, Math.max(longest.get(key) ?? 0, firstMs - fromMs));
  }
  const inSeconds = (key: string): string => ((longest.get(key) ?? 0) / 1_000).toFixed(1);
  return SOURCES.map(
    (source) => `${source} ${inSeconds(`${source} false`)} s (${inSeconds(`${source} true`)} s)`,
  ).join(', ');
}

/** A handshake that was wrong, with all that is known of its name. */
export function describeWrong({ visit, right }: Judgement, history: History): unknown {
  const { name, beganMs } = visit;
  const relative = (ms: number): number => Math.round(ms - beganMs);
  return {
    name,
    tookMs: relative(visit.endedMs),
    served: visit.leaf?.slice(0, 11) ?? visit.error,
    right: [...right].map((leaf) => leaf.slice(0, 11)),
    history: SOURCES.flatMap((source) => history.describe(name, source, relative)),
    expires: history.expires(name).map(({ fromMs, toMs }) => [relative(fromMs), relative(toMs)]),
    standstills: history.standstills.map(({ fromMs, toMs }) => [relative(fromMs), relative(toMs)]),
    kills: history.kills.map(({ fromMs }) => relative(fromMs)),
  };
}
