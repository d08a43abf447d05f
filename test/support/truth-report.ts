/**
 * What the scenario "truth" says of itself.
 */
import type { Visit } from './truth-clients.js';
import { overlaps, type History } from './truth-history.js';
import type { Judgement, Oracle } from './truth-oracle.js';
import { SOURCES } from './truth-plan.js';

/** Handshakes, what was done, and how long changes took to be served: a line for each kind of change and of source. */
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
    'of changes that made another certificate the best: the longest until its first service, and the longest that the one',
    'before it was served (in brackets: something stood still meanwhile)',
    ...describeTimes(judgements, history, oracle),
  ].join('\n  ');
}

/** How long changes of a kind took, milliseconds. */
interface Times {
  changes: number;
  firstMs: number;
  staleMs: number;
  disturbedFirstMs: number;
  disturbedStaleMs: number;
}

function describeTimes(judgements: readonly Judgement[], history: History, oracle: Oracle): string[] {
  const visits = new Map<string, Visit[]>();
  for (const { visit } of judgements) visits.set(visit.name, [...(visits.get(visit.name) ?? []), visit]);
  const arrivals = [...history.arrivals()];
  const times = new Map<string, Times>();
  for (const { name, source, kind, fromMs, sureMs } of arrivals) {
    const [before, after] = [oracle.bestAt(name, fromMs - 1), oracle.bestAt(name, sureMs)];
    if (before === undefined || after === undefined || before === after) continue;
    // What is served after the next change says nothing of this one.
    const later = arrivals.filter((other) => other.name === name && other.fromMs > fromMs);
    const endMs = Math.min(...later.map((other) => other.fromMs));
    const own = (visits.get(name) ?? []).filter(({ beganMs }) => beganMs >= fromMs && beganMs < endMs);
    const firstMs = Math.min(...own.filter(({ leaf }) => leaf === after).map(({ endedMs }) => endedMs));
    if (firstMs === Infinity) continue;
    const staleMs = Math.max(
      fromMs,
      ...own.filter(({ leaf }) => leaf === before).map(({ beganMs }) => beganMs),
    );
    const isDisturbed = history.standstills.some((span) =>
      overlaps(span, fromMs, Math.max(firstMs, staleMs)),
    );
    const key = `${source} ${kind}`;
    const known = times.get(key) ?? NO_TIMES;
    const [first, stale] = [firstMs - fromMs, staleMs - fromMs];
    times.set(key, {
      changes: known.changes + 1,
      firstMs: Math.max(known.firstMs, isDisturbed ? 0 : first),
      staleMs: Math.max(known.staleMs, isDisturbed ? 0 : stale),
      disturbedFirstMs: Math.max(known.disturbedFirstMs, isDisturbed ? first : 0),
      disturbedStaleMs: Math.max(known.disturbedStaleMs, isDisturbed ? stale : 0),
    });
  }
  return [...times].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => `${key}: ${inWords(value)}`);
}

const NO_TIMES: Times = { changes: 0, firstMs: 0, staleMs: 0, disturbedFirstMs: 0, disturbedStaleMs: 0 };

function inWords(times: Times): string {
  const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
  const { changes, firstMs, staleMs, disturbedFirstMs, disturbedStaleMs } = times;
  return (
    `${changes} changes, ${seconds(firstMs)} and ${seconds(staleMs)} ` +
    `(${seconds(disturbedFirstMs)} and ${seconds(disturbedStaleMs)})`
  );
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
