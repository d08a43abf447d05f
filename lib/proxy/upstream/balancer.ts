/**
 * The backends of one route: which one a request goes to, and which ones are left out for a while.
 *
 * The one with the fewest requests under way is taken; of several such, the one that has waited longest. Health is passive:
 * after a few failures in a row a backend is left out, for one second at first, doubling to thirty; then one request tries
 * it again. Where all are left out, the one whose rest ends first is asked rather than none, and rests no longer for it. A single
 * backend is never left out: there is nothing to gain.
 */

import type { BackendTrouble } from '../../domain/backend-status.js';

export interface BalancerOptions<Target> {
  readonly targets: readonly Target[];
  /** The time in milliseconds, from any origin. */
  readonly now: () => number;
  /** Told once when a backend is left out, and once when it is used again. */
  readonly onChange?: (target: Target, state: 'out' | 'back') => void;
  /** Failures in a row after which a backend is left out. @default 3 */
  readonly threshold?: number;
}

/** `failed`: the backend's fault (no connection, a broken answer, out of time). `aborted`: the client's. */
type Outcome = 'ok' | 'failed' | 'aborted';

/** A request's lease of a backend: to be released, once, with what came of it. */
export interface Lease<Target> {
  readonly target: Target;
  /** @param error what has failed, for `health`. */
  release(outcome: Outcome, error?: string): void;
  /** The target has begun to answer: it is used again, though what it says may last for hours, and may still break off. */
  answered(): void;
  /** The target works, long before the lease is released: a connection is in use that may last for hours. */
  confirm(): void;
}

/** How one target does. */
export interface TargetHealth<Target> {
  readonly target: Target;
  /** Leases that are not released. */
  readonly underWay: number;
  /** Absent: what came of it last was good. */
  readonly trouble?: BackendTrouble;
}

const DEFAULT_THRESHOLD = 3;
const FIRST_REST_MS = 1_000;
const LONGEST_REST_MS = 30_000;

/** Failures further apart are not of one failing. */
const FAILING_GAP_MS = 10_000;

interface Member<Target> {
  readonly target: Target;
  underWay: number;
  failures: number;
  restMs: number;
  /** Left out until then; 0: in use. */
  outUntilMs: number;
  /** Since when it is left out, if it is. */
  outSinceMs: number;
  /** A request is trying it after its rest. */
  onTrial: boolean;
  /** When its first and its latest failure were, of those since it worked last. */
  failingSinceMs: number;
  failedLastMs: number;
  /** When the first of `failures` was, and what the latest failure was. */
  failedFirstMs: number;
  lastError: string;
  /** Grows with each use of any member. */
  lastUse: number;
}

type Recorder<Target> = (
  member: Member<Target>,
  outcome: Outcome | 'answered',
  isTrial: boolean,
  error?: string,
) => void;

export class Balancer<Target> {
  readonly targets: readonly Target[];
  readonly #members: readonly Member<Target>[];
  readonly #now: () => number;
  readonly #onChange: (target: Target, state: 'out' | 'back') => void;
  readonly #threshold: number;
  #uses = 0;

  constructor({ targets, now, onChange, threshold = DEFAULT_THRESHOLD }: BalancerOptions<Target>) {
    this.targets = targets;
    this.#members = targets.map((target) => ({
      target,
      underWay: 0,
      failures: 0,
      restMs: FIRST_REST_MS,
      outUntilMs: 0,
      outSinceMs: 0,
      onTrial: false,
      failingSinceMs: 0,
      failedLastMs: -Infinity,
      failedFirstMs: 0,
      lastError: '',
      lastUse: 0,
    }));
    this.#now = now;
    this.#onChange = onChange ?? (() => undefined);
    this.#threshold = threshold;
  }

  /**
   * Takes a lease for a request.
   *
   * @param except targets that are not to be taken.
   * @returns undefined when there is no other target.
   */
  take(except?: ReadonlySet<Target>): Lease<Target> | undefined {
    return this.#take(except, false);
  }

  /** As `take`, but only a target that is in use. */
  takeHealthy(except: ReadonlySet<Target>): Lease<Target> | undefined {
    return this.#take(except, true);
  }

  /** How many targets are left out. */
  get leftOut(): number {
    return this.#members.filter(({ outUntilMs }) => outUntilMs > 0).length;
  }

  /** How each target does, for a person. */
  health(): TargetHealth<Target>[] {
    const nowMs = this.#now();
    return this.#members.map((member) => {
      const { target, underWay } = member;
      const trouble = troubleOf(member, nowMs);
      return { target, underWay, ...(trouble && { trouble }) };
    });
  }

  /** For how many milliseconds a target has been failing. 0 when it works. */
  failingForMs(target: Target): number {
    const member = this.#members.find((one) => one.target === target);
    return member === undefined || member.failures === 0 ? 0 : this.#now() - member.failingSinceMs;
  }

  #take(except: ReadonlySet<Target> | undefined, isHealthyOnly: boolean): Lease<Target> | undefined {
    const nowMs = this.#now();
    let best: Member<Target> | undefined;
    for (const member of this.#members) {
      if (except?.has(member.target) === true || (isHealthyOnly && member.outUntilMs > 0)) continue;
      if (best === undefined || isBetter(member, best, nowMs)) best = member;
    }
    if (best === undefined) return undefined;
    const isTrial = best.outUntilMs > 0 && isRested(best, nowMs);
    if (isTrial) best.onTrial = true;
    best.underWay += 1;
    best.lastUse = ++this.#uses;
    return new MemberLease(best, isTrial, this.#record);
  }

  readonly #record: Recorder<Target> = (member, outcome, isTrial, error = '') => {
    const wasOut = member.outUntilMs > 0;
    const isWell = outcome === 'ok' || outcome === 'answered';
    if (isTrial || isWell) member.onTrial = false;
    if (outcome === 'aborted') return;
    // What has only begun may break off: then the failures before it count still, and the next rest is longer.
    if (outcome === 'ok') {
      member.failures = 0;
      member.restMs = FIRST_REST_MS;
    }
    if (isWell) {
      member.outUntilMs = 0;
      if (wasOut) this.#onChange(member.target, 'back');
      return;
    }
    const nowMs = this.#now();
    if (member.failures === 0 || nowMs - member.failedLastMs > FAILING_GAP_MS) member.failingSinceMs = nowMs;
    member.failedLastMs = nowMs;
    if (member.failures === 0) member.failedFirstMs = nowMs;
    member.lastError = error;
    // It was under way when the backend was left out, and belongs to the same failure, or could go nowhere else: only a trial makes the
    // rest longer.
    if (wasOut && !isTrial) return;
    member.failures += 1;
    if (this.#members.length === 1 || member.failures < this.#threshold) return;
    if (!wasOut) member.outSinceMs = nowMs;
    member.outUntilMs = nowMs + member.restMs;
    member.restMs = Math.min(member.restMs * 2, LONGEST_REST_MS);
    if (!wasOut) this.#onChange(member.target, 'out');
  };
}

/** In use, or to be tried again after its rest. */
function isRested<Target>({ outUntilMs, onTrial }: Member<Target>, nowMs: number): boolean {
  return outUntilMs <= nowMs && !onTrial;
}

/** Whether `member` is to be taken rather than `other`. */
function isBetter<Target>(member: Member<Target>, other: Member<Target>, nowMs: number): boolean {
  const rested = isRested(member, nowMs);
  if (rested !== isRested(other, nowMs)) return rested;
  const difference = rested ? member.underWay - other.underWay : member.outUntilMs - other.outUntilMs;
  return difference === 0 ? member.lastUse < other.lastUse : difference < 0;
}

function troubleOf<Target>(member: Member<Target>, nowMs: number): BackendTrouble | undefined {
  const { failures, outUntilMs, outSinceMs, failedFirstMs, failedLastMs, lastError } = member;
  if (failures === 0) return undefined;
  const isLeftOut = outUntilMs > 0;
  return {
    isLeftOut,
    forMs: nowMs - (isLeftOut ? outSinceMs : failedFirstMs),
    lastError,
    lastErrorAgoMs: nowMs - failedLastMs,
  };
}

class MemberLease<Target> implements Lease<Target> {
  readonly target: Target;
  readonly #member: Member<Target>;
  /** It tries the target after its rest. */
  #isTrial: boolean;
  readonly #record: Recorder<Target>;
  #isLeft = false;
  #isConfirmed = false;

  constructor(member: Member<Target>, isTrial: boolean, record: Recorder<Target>) {
    this.target = member.target;
    this.#member = member;
    this.#isTrial = isTrial;
    this.#record = record;
  }

  release(outcome: Outcome, error?: string): void {
    if (this.#isLeft) return;
    this.#isLeft = true;
    this.#member.underWay -= 1;
    // An aborted lease says nothing more than its `confirm` did: another lease may be trying the target by now.
    if (this.#isConfirmed && outcome === 'aborted') return;
    this.#record(this.#member, outcome, this.#isTrial, error);
  }

  answered(): void {
    if (this.#isLeft || this.#member.outUntilMs === 0) return;
    this.#record(this.#member, 'answered', this.#isTrial);
    // If it is left out again meanwhile, that is for another lease to try.
    this.#isTrial = false;
  }

  confirm(): void {
    if (this.#isLeft) return;
    this.#isConfirmed = true;
    this.#record(this.#member, 'ok', this.#isTrial);
  }
}
