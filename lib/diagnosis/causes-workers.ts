/**
 * Causes that lie with workers: they stand still, or know something else than the primary. PURE.
 */
import { durationText } from '../base/duration-text.js';
import type { NegativeFacts, WorkerFacts } from '../domain/inspection.js';
import { expireCommand, finding, mended, verbFor, workersText, type Cause } from './cause.js';
import { dateText, defaultIs, shortPrint, type Held, type View } from './view.js';

/** No worker answers, so no handshake was made. */
export const ALL_WORKERS_SILENT: Cause = [
  'worker-silent',
  (view) => {
    const { silent, facts, name } = view;
    return silent.length === 0 || silent.length < facts.workers.length
      ? undefined
      : finding(
          `Handshakes for ${name} get no answer: ${facts.workers.length === 1 ? 'the only worker' : `none of the ${facts.workers.length} workers`} (${processes(view)}) answers; a worker that stands still is ended and replaced by itself within seconds.`,
        );
  },
];

export const SOME_WORKERS_SILENT: Cause = [
  'worker-silent',
  (view) =>
    view.silent.length === 0
      ? undefined
      : finding(
          `${workersText(view.silent, view)} ${verbFor(view.silent, 'does', 'do')} not answer (${processes(view)}): connections that it has accepted stand still until it is ended and replaced, which happens by itself within seconds; ${view.name} is served its own certificate by the others.`,
        ),
];

export const WORKER_HAS_NEGATIVE: Cause = [
  'worker-has-negative',
  (view) => {
    const behind = view.workers.flatMap(({ negative }) => negative ?? []);
    const there = view.best ?? view.bestOutdated;
    if (there === undefined || behind.length === 0) return undefined;
    const leftMs = Math.max(...behind.map((negative) => negative.leftMs));
    return mended(
      `${defaultIs(view)} by ${workersText(behind, view)}, which ${verbFor(behind, 'remembers', 'remember')} for ${durationText(leftMs)} more that ${rememberedText(view.name, behind)}; ${hasOneNow(there)}.`,
      'Wait that long, or expire the name in the workers too:',
      expireCommand(view),
    );
  },
];

export const PRIMARY_LATE: Cause = [
  'primary-late',
  (view) => {
    const late = view.workers.filter(({ isPrimaryLate }) => isPrimaryLate);
    const there = view.best ?? view.bestOutdated;
    return there === undefined || late.length === 0
      ? undefined
      : mended(
          `${defaultIs(view)} for ${view.name} by ${workersText(late, view)} that ${verbFor(late, 'goes', 'go')} on without the primary, which has not answered in time; ${hasOneNow(there)}.`,
          'See the log for what holds the primary up; the workers ask it again by themselves.',
        );
  },
];

export const WORKER_HAS_OLD: Cause = [
  'worker-has-old',
  (view) => {
    const { best, primary } = view;
    const old = view.workers.filter(
      ({ cached }) => cached?.state === 'fresh' && view.isOld(cached.fingerprints),
    );
    if (best === undefined || old.length === 0 || view.isOld(primary.cached?.fingerprints)) return undefined;
    return mended(
      `${workersText(old, view)} still ${verbFor(old, 'serves', 'serve')} an earlier certificate of ${view.name} (${printsOf(old)}) from the LRU, for ${leftText(old)} more at the most; ${best.source.name} has ${shortPrint(best.candidate.leaf?.fingerprint)} now.`,
      'Wait, as an expire does not reach workers by itself, or expire the name in the workers too:',
      expireCommand(view),
    );
  },
];

/** Nobody has one any more but the workers. */
export const GONE: Cause = [
  'gone',
  (view) => {
    const { best, bestOutdated, primary, name } = view;
    const left = view.workers.filter(({ cached }) => cached !== undefined);
    if (best !== undefined || bestOutdated !== undefined || primary.cached !== undefined || left.length === 0)
      return undefined;
    return mended(
      `${name} is served its own certificate by ${workersText(left, view)} alone, from the LRU, for ${leftText(left)} more at the most: ${view.isAbsent ? 'no source has one any more' : `no source gives one now (${saidOf(view)})`}.`,
      'If it is meant to be gone, expire the name in the workers too; else bring it back into its source.',
      expireCommand(view),
    );
  },
];

/** `redis has one now`, and what is wrong with it. */
export function hasOneNow({ source, candidate: { reason, leaf } }: Held): string {
  const but =
    reason === undefined
      ? ''
      : /expired/.test(reason)
        ? `, though it expired on ${dateText(leaf?.notAfterMs ?? NaN)}`
        : `, though ${reason}`;
  return `${source.name} has one now${but}`;
}

function rememberedText(name: string, negatives: readonly NegativeFacts[]): string {
  const failure = negatives.find(({ kind }) => kind !== 'absent');
  return failure === undefined
    ? `${name} has no certificate`
    : `${name} had none that could be served (${failure.reason ?? 'unknown'})`;
}

function processes({ silent }: View): string {
  return `${silent.length === 1 ? 'process' : 'processes'} ${silent.map(({ pid }) => pid).join(', ')}`;
}

function printsOf(workers: readonly WorkerFacts[]): string {
  return [...new Set(workers.flatMap(({ cached }) => cached?.fingerprints ?? []))].map(shortPrint).join(', ');
}

function leftText(workers: readonly WorkerFacts[]): string {
  return durationText(Math.max(...workers.map(({ cached }) => cached?.leftMs ?? 0)));
}

function saidOf({ sources }: View): string {
  return sources
    .map(({ name, said, reason }) => `${name}: ${said}${reason === undefined ? '' : `, ${reason}`}`)
    .join('; ');
}
