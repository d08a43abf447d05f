/**
 * The backends as all workers together see them. PURE.
 */
import type {
  AskedBackends,
  BackendFacts,
  BackendsReport,
  BackendStatus,
  BackendTrouble,
} from '../domain/backend-status.js';

/** One report of what each worker has answered. */
export function backendsReport(answers: readonly AskedBackends[]): BackendsReport {
  const answered = answers.flatMap((answer) => ('failure' in answer ? [] : [answer.backends]));
  const backends = [...grouped(answered).values()].map(joined);
  return {
    workers: answers.length,
    silentWorkers: answers.flatMap((answer) => ('failure' in answer ? [answer.pid] : [])),
    count: backends.length,
    upCount: backends.filter(({ state }) => state === 'up').length,
    backends,
  };
}

/** By backend and route, what each worker has told. A route may have a backend twice: these are two. */
function grouped(workers: readonly (readonly BackendFacts[])[]): Map<string, BackendFacts[]> {
  const groups = new Map<string, BackendFacts[]>();
  for (const backends of workers) {
    const seen = new Map<string, number>();
    for (const facts of backends) {
      const backend = JSON.stringify([facts.pattern ?? null, facts.name]);
      const nth = seen.get(backend) ?? 0;
      seen.set(backend, nth + 1);
      const key = `${nth} ${backend}`;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [facts]);
      else group.push(facts);
    }
  }
  return groups;
}

function joined(group: readonly BackendFacts[]): BackendStatus {
  const { pattern, name = '' } = group[0] ?? {};
  const troubles = group.flatMap(({ trouble }) => trouble ?? []);
  const leftOut = troubles.filter(({ isLeftOut }) => isLeftOut);
  const state = leftOut.length > 0 ? 'left out' : troubles.length > 0 ? 'failing' : 'up';
  const last = latest(troubles);
  const ofState = state === 'left out' ? leftOut : troubles;
  return {
    ...(pattern !== undefined && { pattern }),
    name,
    state,
    busy: group.reduce((sum, { busy }) => sum + busy, 0),
    idle: group.reduce((sum, { idle }) => sum + idle, 0),
    workers: group.length,
    ...(last && {
      trouble: {
        workers: ofState.length,
        forMs: Math.max(...ofState.map(({ forMs }) => forMs)),
        lastError: last.lastError,
        lastErrorAgoMs: last.lastErrorAgoMs,
      },
    }),
  };
}

function latest(troubles: readonly BackendTrouble[]): BackendTrouble | undefined {
  return [...troubles].sort((one, other) => one.lastErrorAgoMs - other.lastErrorAgoMs)[0];
}
