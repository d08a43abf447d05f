/**
 * Says of each handshake of the scenario "truth" which leaves were right.
 *
 * A handshake goes by a look-up of a moment before it, at the most as long before as caches and time-outs allow (`BOUND_MS`),
 * not counting the time that the primary or a source stood still. So right is:
 *
 *  1. what a look-up at any moment of that window came to (`truth-ranking.ts`); something outdated only where the name was not
 *     known to have a valid certificate;
 *  2. what was known before (the retained certificate), where a moment of the window had nothing valid, unless it has been
 *     expired by hand or the grace was over; and where the look-up took longer than a refresh may;
 *  3. what any worker had once, while the primary is late;
 *  4. the default, where a moment of the window had nothing and nothing was retained, or the name was withdrawn; where a worker
 *     that knows nothing of the name finds the primary late.
 *
 * What is retained is known from the handshakes: what the last one was given, or what look-ups have come to since.
 */
import { availableParallelism, loadavg } from 'node:os';
import type { Visit } from './truth-clients.js';
import { DURATIONS } from './truth-durations.js';
import { lookBack, overlaps, type Content, type History, type Span } from './truth-history.js';
import { SOURCES, type SourceName } from './truth-plan.js';
import { outcomesOf, type Outcome } from './truth-ranking.js';

const SLACK_MS = 500;
const CACHES_MS = 1_000 * (DURATIONS.certCache + DURATIONS.lruCache + DURATIONS.lookupTimeout) + SLACK_MS;
/**
 * Until a directory that has changed is read: the reading under way, which may have passed the place, and the rest after it,
 * ten times the processor time that the primary has used meanwhile. That is less than a second alone, and longer where others want the
 * processors too: 4.1 s were seen with four times as many of them as there are cores.
 */
const READING_MS = 4_000 * Math.max(1, loadavg()[0]! / availableParallelism());
/**
 * How long after a change what was there before may still be served. A directory tells of its changes: its bound does not wait
 * for caches to lapse.
 */
export const BOUND_MS: Readonly<Record<SourceName, number>> = {
  directory: 1_000 * DURATIONS.certDirInterval + READING_MS + SLACK_MS,
  redis: CACHES_MS,
  manager: CACHES_MS,
};
const GRACE_MS = 1_000 * DURATIONS.absentGrace;
/** Some less than the program's own time-outs, as the client sees them. */
const SLOW_MS = 1_000 * DURATIONS.refreshTimeout - 10;
const LATE_MS = 1_000 * DURATIONS.refreshTimeout + 240;
const LOOKUP_MS = 1_000 * DURATIONS.lookupTimeout;
const GIVEN_UP_MS = LOOKUP_MS - 10;
/** A look-up that was slow once may be joined for so long. */
const JOIN_MS = 1_500;
/** A source that is skipped is tried again at the most after this. */
const MAX_PROBE_MS = 5_000;
/** Between what the primary does and what is seen of it outside. */
const NOTICE_MS = 100;
/** What the workers' breaker on the bus needs to notice that the primary is back. */
const RECOVERY_MS = 1_500;
/** An outdated certificate is looked up again after as long as it has been served, at the most after this. */
const MAX_RETRY_MS = 60_000;
/** How long a killed worker's connections may take to fail. */
const DEATH_MS = 1_000;

export interface Judgement {
  readonly visit: Visit;
  readonly isRight: boolean;
  /** All leaves that would have been right. */
  readonly right: ReadonlySet<string>;
}

/** What the program said of itself. */
export interface Reported {
  /** Workers found the primary late. */
  readonly late: readonly Span[];
  /** Sources were skipped, for they had failed too often. */
  readonly skipped: Readonly<Record<SourceName, readonly Span[]>>;
  /** All names were looked up afresh, milliseconds since 1970. */
  readonly freshStarts: readonly number[];
}

/** From when on each source may have been asked. */
type Since = Readonly<Record<SourceName, number>>;

/** A handshake with what may have been known at its time. */
interface Weighed {
  readonly visit: Visit;
  /** From when on what it was told may have been looked up. */
  readonly since: Since;
  readonly outcomes: readonly Outcome[];
  /** It, or one that it may share its question with, has waited as long as anybody does. */
  readonly isGivenUp: boolean;
  /** It went by a look-up within that window. */
  readonly isDirect: boolean;
}

export class Oracle {
  readonly #history: History;
  readonly #defaultLeaf: string;
  readonly #late: readonly Span[];
  readonly #skipped: Reported['skipped'];
  readonly #freshStarts: readonly number[];

  constructor(history: History, defaultLeaf: string, { late, skipped, freshStarts }: Reported) {
    this.#history = history;
    this.#defaultLeaf = defaultLeaf;
    this.#skipped = skipped;
    this.#freshStarts = freshStarts;
    const stops = history.stops.map(({ fromMs, toMs }) => ({ fromMs, toMs: toMs + RECOVERY_MS }));
    this.#late = [...stops, ...late];
  }

  /** @param visits of any names, in any order. */
  judge(visits: readonly Visit[]): Judgement[] {
    const byName = new Map<string, Visit[]>();
    for (const visit of visits) byName.set(visit.name, [...(byName.get(visit.name) ?? []), visit]);
    return [...byName].flatMap(([, own]) => this.#judgeName(own));
  }

  /** What is right at a moment by the sources alone, where that is one leaf. */
  bestAt(name: string, atMs: number): string | undefined {
    const leaves = this.#outcomes(name, allSince(atMs), atMs).map((outcome) =>
      outcome.kind === 'certificate' ? outcome.certificate.leaf : undefined,
    );
    return new Set(leaves).size === 1 ? leaves[0] : undefined;
  }

  #judgeName(visits: readonly Visit[]): Judgement[] {
    const inOrder = [...visits].sort((a, b) => a.beganMs - b.beganMs);
    const slow = inOrder.filter(({ beganMs, endedMs }) => endedMs - beganMs >= SLOW_MS);
    const weighed: Weighed[] = [];
    return inOrder.map((visit) => {
      const { name, beganMs, endedMs } = visit;
      const joinMs = this.#lookBack(beganMs, JOIN_MS);
      const isJoined = slow.some((other) => other.beganMs <= endedMs && other.beganMs >= joinMs);
      const since = this.#window(beganMs);
      const outcomes = this.#outcomes(name, since, endedMs);
      // Handshakes of a worker share its question, and the end of its patience.
      const isGivenUp = inOrder.some(
        (other) =>
          overlaps({ fromMs: other.beganMs, toMs: other.endedMs }, beganMs, endedMs) &&
          other.endedMs - other.beganMs >= GIVEN_UP_MS,
      );
      const one = { visit, since, outcomes, isGivenUp, isDirect: !isJoined && !this.#isLate(visit) };
      const earlier = weighed.filter((other) => other.visit.endedMs <= beganMs);
      weighed.push(one);
      if (visit.leaf === undefined) {
        return { visit, isRight: this.#mayFail(visit), right: new Set<string>() };
      }
      const expired = this.#surelyAfterExpire(visit, inOrder);
      const right =
        (expired && this.#rightAfterExpire(name, expired, endedMs)) ?? this.#rightOnes(one, earlier);
      return { visit, isRight: right.has(visit.leaf), right };
    });
  }

  #rightOnes(one: Weighed, earlier: readonly Weighed[]): Set<string> {
    const { visit, since, outcomes, isGivenUp, isDirect } = one;
    const { name, beganMs, endedMs } = visit;
    const tookMs = endedMs - beganMs;
    const isLate = this.#isLate(visit);
    const last = earlier.findLast((other) => this.#isTelling(other));
    const isKept =
      last !== undefined &&
      this.#isValidLeaf(name, last.visit.leaf) &&
      !this.#mayBeDropped(name, last.since, endedMs);
    const right = new Set<string>();
    const add = (from: Since): void => {
      for (const leaf of leavesOf(this.#outcomes(name, from, endedMs))) right.add(leaf);
    };

    for (const leaf of leavesOf(outcomes.filter((outcome) => !isKept || isValid(outcome)))) right.add(leaf);
    const isWanting = outcomes.some((outcome) => !isValid(outcome));
    if ((isWanting && !this.#isGraceSurelyOver(one, earlier)) || !isDirect) {
      const expired = this.#history.expires(name).findLast(({ toMs }) => toMs <= since.manager);
      add(later(last?.since ?? allSince(-Infinity), expired?.fromMs ?? -Infinity));
      const isGone = expired !== undefined && last !== undefined && expired.fromMs >= last.since.manager;
      if (last?.visit.leaf !== undefined && !isGone) right.add(last.visit.leaf);
    }
    if (isLate || tookMs >= LATE_MS) add(allSince(-Infinity));
    // One that was outdated when it was looked up is not looked up again for a while.
    if (!isKept && !this.#isValidLeaf(name, visit.leaf)) {
      const firstMs = earlier.find((other) => other.visit.leaf === visit.leaf)?.visit.beganMs ?? beganMs;
      add(this.#window(beganMs - Math.min(MAX_RETRY_MS, (endedMs - firstMs) / 2)));
    }
    const hasNone = outcomes.some(({ kind }) => kind !== 'certificate');
    if ((!isKept && (hasNone || isGivenUp)) || isLate) right.add(this.#defaultLeaf);
    return right;
  }

  /**
   * The expire by hand that a handshake is the first to go by: late enough for what workers had to have lapsed, and so early
   * that what the look-up after it came to is still fresh. Undefined where that cannot be told.
   *
   * @param own all handshakes of the name.
   */
  #surelyAfterExpire(visit: Visit, own: readonly Visit[]): Span | undefined {
    const { name, beganMs, endedMs } = visit;
    const expires = this.#history.expires(name).filter((span) => span.fromMs <= endedMs);
    const last = expires.at(-1);
    if (last === undefined || expires.some(({ toMs }) => toMs > last.toMs)) return undefined;
    const isLapsed = beganMs > last.toMs + 1_000 * DURATIONS.lruCache + NOTICE_MS;
    const isFresh = endedMs < last.fromMs + 1_000 * DURATIONS.certCache;
    // A question of before the expire may be under way, or the manager be late.
    const isSlow = own.some(
      (other) =>
        overlaps({ fromMs: other.beganMs, toMs: other.endedMs }, last.fromMs, endedMs) &&
        other.endedMs - other.beganMs >= LATE_MS,
    );
    // The directory tells, and the name is looked up once more.
    const isToldOf =
      this.#history.hasChanged(name, 'directory', this.#window(last.fromMs).directory, endedMs) ||
      this.#freshStarts.some((atMs) => atMs >= last.fromMs - NOTICE_MS && atMs <= endedMs);
    return isLapsed && isFresh && !isSlow && !isToldOf && !this.#isLate(visit) ? last : undefined;
  }

  /**
   * The manager's word goes before what Redis has. Undefined where what it comes to may not be kept for as long as a valid
   * certificate is.
   */
  #rightAfterExpire(name: string, { fromMs }: Span, toMs: number): Set<string> | undefined {
    const contents = (source: SourceName): Content[] => this.#contents(name, source, fromMs, toMs);
    const [directory, redis, manager] = [contents('directory'), contents('redis'), contents('manager')];
    const isSure = manager.every(({ kind }) => kind !== 'silent');
    const outcomes = outcomesOf({ directory, redis, manager }, [true]);
    return isSure && outcomes.every(isValid) ? new Set(leavesOf(outcomes)) : undefined;
  }

  /** By an expire, or because all sources may have said absent: of a name that was expired, or so long ago that the grace is over. */
  #mayBeDropped(name: string, since: Since, toMs: number): boolean {
    const isAbsent = (endMs: number): boolean =>
      this.#outcomes(name, since, endMs).some(({ kind }) => kind === 'absent');
    if (this.#history.expires(name).some((span) => overlaps(span, since.manager, toMs))) return true;
    if (isAbsent(toMs - GRACE_MS + SLACK_MS)) return true;
    return this.#purged(name, since.manager, toMs).includes(true) && isAbsent(toMs);
  }

  /** The grace is over: a look-up must have found all sources absent so long ago, and nothing has come since. */
  #isGraceSurelyOver({ visit, since }: Weighed, earlier: readonly Weighed[]): boolean {
    const first = earlier.find(
      (other) => other.isDirect && other.outcomes.every(({ kind }) => kind === 'absent'),
    );
    if (first === undefined || first.visit.endedMs + GRACE_MS > since.manager) return false;
    return this.#outcomes(visit.name, first.since, visit.endedMs).every(({ kind }) => kind === 'absent');
  }

  #lookBack(fromMs: number, byMs: number): number {
    return lookBack(fromMs, byMs, this.#history.stops);
  }

  /** From when on what a handshake is told may have been looked up. */
  #window(beganMs: number): Since {
    const from = (source: SourceName): number => this.#lookBack(beganMs, BOUND_MS[source]);
    return { directory: from('directory'), redis: from('redis'), manager: from('manager') };
  }

  /** All that look-ups within a time may have come to; none where it ends before it begins. */
  #outcomes(name: string, since: Since, toMs: number): Outcome[] {
    const contents = (source: SourceName): Content[] => this.#contents(name, source, since[source], toMs);
    const [directory, redis, manager] = [contents('directory'), contents('redis'), contents('manager')];
    const purged = this.#purged(name, since.manager, toMs);
    return outcomesOf({ directory, redis, manager }, purged, this.#newestMs(name, toMs));
  }

  /** The latest `notBefore` of what the manager has had and is valid. */
  #newestMs(name: string, toMs: number): number {
    const had = this.#history.contents(name, 'manager', -Infinity, toMs);
    return Math.max(
      ...had.map((content) =>
        content.kind === 'certificate' && content.certificate.isValid
          ? content.certificate.notBeforeMs
          : -Infinity,
      ),
    );
  }

  #isValidLeaf(name: string, leaf: string | undefined): boolean {
    return SOURCES.flatMap((source) => this.#history.contents(name, source, -Infinity, Infinity)).some(
      (content) =>
        content.kind === 'certificate' && content.certificate.leaf === leaf && content.certificate.isValid,
    );
  }

  #contents(name: string, source: SourceName, fromMs: number, toMs: number): Content[] {
    if (toMs < fromMs) return [];
    const contents = this.#history.contents(name, source, fromMs, toMs);
    const isSilent = source !== 'directory' && this.#isSilent(source, fromMs, toMs);
    return isSilent ? [...contents, { kind: 'silent' }] : contents;
  }

  #isSilent(source: SourceName, fromMs: number, toMs: number): boolean {
    // A primary that has stood still finds its time-outs over before the answers.
    const causes = [...this.#history.outages[source], ...this.#history.stops].map((span) => ({
      fromMs: span.fromMs,
      toMs: span.toMs + SLACK_MS,
    }));
    if (causes.some((span) => overlaps(span, fromMs, toMs))) return true;
    // By the program's word, but not without a cause, and not for longer than is documented.
    return this.#skipped[source].some((span) => {
      // The look-ups that make it so may have begun in the last moment.
      const cause = causes.findLast((one) => overlaps(one, span.fromMs - LOOKUP_MS, span.fromMs));
      if (cause === undefined) return false;
      const endMs = Math.min(span.toMs, cause.toMs + MAX_PROBE_MS);
      return overlaps({ fromMs: span.fromMs, toMs: endMs }, fromMs, toMs);
    });
  }

  /** Whether a name may have been under an expire by hand within a time, and may not have been. */
  #purged(name: string, fromMs: number, toMs: number): boolean[] {
    const expires = this.#history.expires(name).filter((span) => span.fromMs <= toMs);
    const sure = expires.findLast((span) => span.toMs <= fromMs);
    if (expires.length === 0) return [false];
    // The manager's word ends it.
    const isEnded =
      sure !== undefined &&
      this.#history
        .contents(name, 'manager', sure.fromMs, toMs)
        .some(({ kind }) => kind === 'certificate' || kind === 'unusable');
    return sure !== undefined && !isEnded ? [true] : [true, false];
  }

  /** What it was given is what the primary had then: not the default, nor what a worker had once. */
  #isTelling({ visit }: Weighed): boolean {
    const { leaf, beganMs, endedMs } = visit;
    if (leaf === undefined || leaf === this.#defaultLeaf) return false;
    return endedMs - beganMs < LATE_MS && !this.#isLate(visit);
  }

  #isLate({ beganMs, endedMs }: Visit): boolean {
    return this.#late.some((span) => overlaps(span, beganMs, endedMs));
  }

  #mayFail({ beganMs, endedMs }: Visit): boolean {
    return this.#history.kills.some(({ fromMs, toMs }) =>
      overlaps({ fromMs, toMs: toMs + DEATH_MS }, beganMs, endedMs),
    );
  }
}

function allSince(ms: number): Since {
  return { directory: ms, redis: ms, manager: ms };
}

function later({ directory, redis, manager }: Since, ms: number): Since {
  return { directory: Math.max(directory, ms), redis: Math.max(redis, ms), manager: Math.max(manager, ms) };
}

function leavesOf(outcomes: readonly Outcome[]): string[] {
  return outcomes.flatMap((outcome) => (outcome.kind === 'certificate' ? [outcome.certificate.leaf] : []));
}

function isValid(outcome: Outcome): boolean {
  return outcome.kind === 'certificate' && outcome.certificate.isValid;
}
