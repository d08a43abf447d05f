/**
 * The backends of one route: which one a request goes to, and which ones are left out for a while.
 *
 * The one with the fewest requests under way is taken; of several such, the one that has waited longest. Health is passive:
 * after a few failures in a row a backend is left out, for one second at first, doubling to thirty; then one request tries
 * it again. Where all are left out, the one whose rest ends first is tried rather than none. A single backend is never left
 * out: there is nothing to gain.
 */

export interface BalancerOptions<Target> {
  readonly targets: readonly Target[];
  /** The time in milliseconds, from any origin. */
  readonly now: () => number;
  /** Told once when a backend is left out, and once when it is used again. */
  readonly onChange?: (target: Target, state: 'out' | 'back') => void;
  /** Failures in a row after which a backend is left out. @default 3 */
  readonly threshold?: number;
}

/** A request's place at a backend: to be left, once, with what came of it. */
export interface Place<Target> {
  readonly target: Target;
  /** `failed`: the backend's fault (no connection, a broken answer, out of time). `aborted`: the client's. */
  leave(outcome: 'ok' | 'failed' | 'aborted'): void;
  /** The target works, long before the place is left: a connection has been made that may last for hours. */
  confirm(): void;
}

const DEFAULT_THRESHOLD = 3;
const FIRST_REST_MS = 1_000;
const LONGEST_REST_MS = 30_000;

interface Member<Target> {
  readonly target: Target;
  underWay: number;
  failures: number;
  restMs: number;
  /** Left out until then; 0: in use. */
  outUntilMs: number;
  /** A request is trying it after its rest. */
  onTrial: boolean;
  /** Grows with each use of any member. */
  lastUse: number;
}

export class Balancer<Target> {
  readonly #members: readonly Member<Target>[];
  readonly #now: () => number;
  readonly #onChange: (target: Target, state: 'out' | 'back') => void;
  readonly #threshold: number;
  #uses = 0;

  constructor({ targets, now, onChange, threshold = DEFAULT_THRESHOLD }: BalancerOptions<Target>) {
    this.#members = targets.map((target) => ({
      target,
      underWay: 0,
      failures: 0,
      restMs: FIRST_REST_MS,
      outUntilMs: 0,
      onTrial: false,
      lastUse: 0,
    }));
    this.#now = now;
    this.#onChange = onChange ?? (() => undefined);
    this.#threshold = threshold;
  }

  get targets(): readonly Target[] {
    return this.#members.map(({ target }) => target);
  }

  /**
   * Takes a place for a request.
   *
   * @param tried targets that have failed this request already.
   * @returns undefined when every target has been tried.
   */
  take(tried: ReadonlySet<Target> = new Set()): Place<Target> | undefined {
    const nowMs = this.#now();
    const open = this.#members.filter(({ target }) => !tried.has(target));
    const rested = open.filter((member) => member.outUntilMs <= nowMs && !member.onTrial);
    const member =
      least(rested, (a, b) => a.underWay - b.underWay || a.lastUse - b.lastUse) ??
      least(open, (a, b) => a.outUntilMs - b.outUntilMs || a.lastUse - b.lastUse);
    if (member === undefined) return undefined;
    if (member.outUntilMs > 0) member.onTrial = true;
    member.underWay += 1;
    member.lastUse = ++this.#uses;
    let isLeft = false;
    let isConfirmed = false;
    return {
      target: member.target,
      leave: (outcome) => {
        if (isLeft) return;
        isLeft = true;
        member.underWay -= 1;
        // Nothing was learned since: by now it may be another place that tries the target after a rest.
        if (isConfirmed && outcome === 'aborted') return;
        this.#record(member, outcome);
      },
      confirm: () => {
        if (isLeft) return;
        isConfirmed = true;
        this.#record(member, 'ok');
      },
    };
  }

  #record(member: Member<Target>, outcome: 'ok' | 'failed' | 'aborted'): void {
    const wasOut = member.outUntilMs > 0;
    member.onTrial = false;
    if (outcome === 'aborted') return;
    if (outcome === 'ok') {
      member.failures = 0;
      member.restMs = FIRST_REST_MS;
      member.outUntilMs = 0;
      if (wasOut) this.#onChange(member.target, 'back');
      return;
    }
    member.failures += 1;
    if (this.#members.length === 1 || member.failures < this.#threshold) return;
    member.outUntilMs = this.#now() + member.restMs;
    member.restMs = Math.min(member.restMs * 2, LONGEST_REST_MS);
    if (!wasOut) this.#onChange(member.target, 'out');
  }
}

function least<T>(items: readonly T[], compare: (a: T, b: T) => number): T | undefined {
  return items.reduce<T | undefined>(
    (best, item) => (best === undefined || compare(item, best) < 0 ? item : best),
    undefined,
  );
}
