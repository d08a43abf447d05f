/**
 * Rates, by the difference between two moments. PURE.
 */
import type { StatusReport } from '../domain/status-report.js';
import { Numbers, type Frame, type Where } from './frame.js';

interface Moment {
  readonly pid: number;
  readonly uptimeMs: number;
  readonly atMs: number;
  readonly numbers: Numbers;
}

/** What has happened between two moments. Without an earlier one nothing is known, and all is 0. */
export class Rates {
  readonly #from: Moment | undefined;
  readonly to: Moment;
  readonly seconds: number;

  constructor(from: Moment | undefined, to: Moment) {
    this.#from = from;
    this.to = to;
    this.seconds = from === undefined ? 0 : (to.atMs - from.atMs) / 1_000;
  }

  /** There is an earlier moment to compare with. */
  get isKnown(): boolean {
    return this.seconds > 0;
  }

  /** How much a counter has grown. */
  growth(name: string, where?: Where): number {
    if (this.#from === undefined) return 0;
    return Math.max(0, this.to.numbers.value(name, where) - this.#from.numbers.value(name, where));
  }

  perSecond(name: string, where?: Where): number {
    return this.isKnown ? this.growth(name, where) / this.seconds : 0;
  }

  /** The mean of a histogram's observations, milliseconds where they are seconds; undefined: there were none. */
  meanMs(name: string, where?: Where): number | undefined {
    const before = this.#from?.numbers.sum(name, where) ?? { count: 0, sum: 0 };
    const now = this.to.numbers.sum(name, where);
    const count = now.count - before.count;
    return count > 0 && this.isKnown ? Math.max(0, ((now.sum - before.sum) / count) * 1_000) : undefined;
  }
}

/** Frames of the last minute. */
const KEPT_MS = 61_000;
/** A frame may be late by so much. */
const LATE_S = 5;

/** The last frames, to compare the newest one with. */
export class Recent {
  #moments: Moment[] = [];

  get newest(): Moment | undefined {
    return this.#moments.at(-1);
  }

  add({ status, series }: Frame): void {
    const moment = { ...momentOf(status), numbers: new Numbers(series) };
    const last = this.newest;
    // Another process, or the same one started again: its counters begin at 0.
    const isAnother = last?.pid !== moment.pid || last.uptimeMs > moment.uptimeMs;
    const since = isAnother ? Infinity : moment.atMs - KEPT_MS;
    // One from before is kept in any case: after a pause it says what has happened meanwhile.
    const kept = this.#moments.filter(
      ({ atMs }, place) => atMs >= since || place === this.#moments.length - 1,
    );
    this.#moments = isAnother ? [moment] : [...kept, moment];
  }

  /** @param seconds how far back, about. */
  over(seconds: number): Rates {
    const newest = this.newest ?? { pid: 0, uptimeMs: 0, atMs: 0, numbers: new Numbers() };
    const earlier = this.#moments.slice(0, -1);
    const wanted = newest.atMs - seconds * 1_000 - 500;
    return new Rates(earlier.find(({ atMs }) => atMs >= wanted) ?? earlier.at(-1), newest);
  }

  /** The same for what is said to be of that time: behind a longer pause nothing is known, for it might be hours ago. */
  within(seconds: number): Rates {
    const rates = this.over(seconds);
    return rates.seconds <= seconds + LATE_S ? rates : new Rates(undefined, rates.to);
  }
}

function momentOf({ pid, uptimeMs, atMs }: StatusReport): Omit<Moment, 'numbers'> {
  return { pid, uptimeMs, atMs };
}
