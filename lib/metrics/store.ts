/**
 * The numbers of all processes, in the primary: what they have told is added up here.
 *
 * Counts only grow: those of a process that has ended stay. Its gauges go with it. A worker is known by the lowest place that is free
 * (`worker-1`, `worker-2`, …), which its successor takes over: the label `process` has no more values than there are processes at once.
 */
import type { Definition } from './definition.js';
import type { LabelsFor, MetricName, NameOf } from './definitions.js';
import { findLayout, LAYOUTS, layoutOf, type Layout } from './layout.js';
import type { MetricsDelta } from './recorder.js';

/** The label `process` of the primary. */
export const PRIMARY = 'primary';
/** Of what is not told apart by processes. */
const ALL = '';
/** Metrics with up to so many combinations of labels are there from the start: who watches an increase misses the step to 1 else. */
const MAX_SHOWN_AT_ZERO = 32;

/** One series, as it is shown. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  /** One number; of a histogram a number for each bucket, for what is above all of them, and the sum. */
  readonly numbers: readonly number[];
}

/** Labels to go by: those that are not given may be any. */
export type LabelFilter<Name extends MetricName> = Partial<LabelsFor<Name>> & { readonly process?: string };

export interface HistogramValue {
  readonly count: number;
  readonly sum: number;
}

/** A process, as the store knows it. */
export interface MetricsMember {
  /** Takes what it tells. */
  add(delta: MetricsDelta): void;
  /** It has ended. What comes of it later, as it may, still counts. */
  leave(): void;
}

export class MetricsStore {
  readonly #families = new Map<MetricName, StoredFamily>(
    LAYOUTS.map((layout) => [layout.name, new StoredFamily(layout)]),
  );
  readonly #taken = new Set<string>();

  /** @param process the label; absent: the next worker. */
  join(process = this.#freePlace()): MetricsMember {
    this.#taken.add(process);
    let isGone = false;
    return {
      add: (delta) => {
        for (const [name, pairs] of Object.entries(delta)) {
          const layout = findLayout(name);
          if (layout === undefined || (isGone && layout.definition.type === 'gauge')) continue;
          this.#family(layout.name).add(process, pairs);
        }
      },
      leave: () => {
        if (isGone) return;
        isGone = true;
        this.#taken.delete(process);
        for (const family of this.#families.values()) family.drop(process);
      },
    };
  }

  /** The sum of the series of a counter or a gauge that have these labels. */
  value<Name extends NameOf<'counter' | 'gauge'>>(name: Name, labels: LabelFilter<Name> = {}): number {
    let sum = 0;
    for (const { numbers } of this.#matching(name, labels)) sum += numbers[0] ?? 0;
    return sum;
  }

  /** The same for each value of a label that has been seen. */
  valuesBy<Name extends NameOf<'counter' | 'gauge'>>(
    name: Name,
    label: (keyof LabelsFor<Name> & string) | 'process',
    labels: LabelFilter<Name> = {},
  ): ReadonlyMap<string, number> {
    const sums = new Map<string, number>();
    for (const { labels: own, numbers } of this.#matching(name, labels)) {
      const value = own[label];
      if (value !== undefined) sums.set(value, (sums.get(value) ?? 0) + (numbers[0] ?? 0));
    }
    return sums;
  }

  /** What the series of a histogram with these labels come to. */
  histogram<Name extends NameOf<'histogram'>>(name: Name, labels: LabelFilter<Name> = {}): HistogramValue {
    const { counts, sum } = this.#summed(name, labels);
    return { count: counts.reduce((total, count) => total + count, 0), sum };
  }

  /**
   * About how large the observation is that a share of all do not exceed: the upper bound of its bucket.
   *
   * @param share 0.99 for the 99th percentile.
   * @returns NaN without observations; infinity above the last bucket.
   */
  quantile<Name extends NameOf<'histogram'>>(
    name: Name,
    share: number,
    labels: LabelFilter<Name> = {},
  ): number {
    const { counts } = this.#summed(name, labels);
    const total = counts.reduce((sum, count) => sum + count, 0);
    if (total === 0) return NaN;
    const wanted = share * total;
    let seen = 0;
    const bucket = counts.findIndex((count) => (seen += count) >= wanted);
    return layoutOf(name).buckets[bucket] ?? Infinity;
  }

  /** The series of a metric. */
  series(name: MetricName): Series[] {
    return this.#family(name).series();
  }

  #summed(name: NameOf<'histogram'>, labels: object): { counts: number[]; sum: number } {
    const counts = new Array<number>(layoutOf(name).buckets.length + 1).fill(0);
    let sum = 0;
    for (const { numbers } of this.#matching(name, labels)) {
      counts.forEach((count, place) => (counts[place] = count + (numbers[place] ?? 0)));
      sum += numbers[counts.length] ?? 0;
    }
    return { counts, sum };
  }

  #matching(name: MetricName, labels: object): Series[] {
    const wanted = Object.entries(labels);
    return this.series(name).filter(({ labels: own }) =>
      wanted.every(([label, value]) => own[label] === value),
    );
  }

  #family(name: MetricName): StoredFamily {
    const family = this.#families.get(name);
    if (family === undefined) throw new TypeError(`${name} is no metric`);
    return family;
  }

  #freePlace(): string {
    for (let place = 1; ; place += 1) {
      const process = `worker-${place}`;
      if (!this.#taken.has(process)) return process;
    }
  }
}

/** One metric: an array of numbers for each process that is told apart. */
class StoredFamily {
  readonly #layout: Layout;
  readonly #definition: Definition;
  readonly #byProcess = new Map<string, Float64Array>();

  constructor(layout: Layout) {
    this.#layout = layout;
    this.#definition = layout.definition;
  }

  get #isGauge(): boolean {
    return this.#definition.type === 'gauge';
  }

  /** @param pairs see `MetricsDelta`. */
  add(process: string, pairs: readonly (number | null)[]): void {
    const numbers = this.#numbersOf(this.#isGauge || this.#definition.perProcess === true ? process : ALL);
    for (let i = 0; i + 1 < pairs.length; i += 2) {
      const slot = pairs[i] ?? -1;
      const value = pairs[i + 1] ?? NaN;
      const before = numbers[slot];
      if (before === undefined) continue;
      if (this.#isGauge) numbers[slot] = value;
      else if (value > 0) numbers[slot] = before + value;
    }
  }

  /** Forgets what a process has said of the present. */
  drop(process: string): void {
    if (this.#isGauge) this.#byProcess.delete(process);
  }

  series(): Series[] {
    if (this.#definition.perProcess !== true) return this.#seriesOf({}, this.#total());
    return [...this.#byProcess].flatMap(([process, numbers]) => this.#seriesOf({ process }, numbers));
  }

  #seriesOf(extra: Series['labels'], numbers: Float64Array): Series[] {
    const { width, combinations } = this.#layout;
    const showsZeros = combinations <= MAX_SHOWN_AT_ZERO;
    const series: Series[] = [];
    for (let combination = 0; combination < combinations; combination += 1) {
      const own = [...numbers.subarray(combination * width, (combination + 1) * width)];
      const isShown = this.#isGauge
        ? !Number.isNaN(own[0])
        : showsZeros || own.some((number) => number !== 0);
      if (isShown) series.push({ labels: { ...extra, ...this.#layout.labelsOf(combination) }, numbers: own });
    }
    return series;
  }

  /** A gauge is the sum of what the processes say that have it. */
  #total(): Float64Array {
    if (!this.#isGauge) return this.#numbersOf(ALL);
    const total = this.#newNumbers();
    for (const numbers of this.#byProcess.values()) {
      numbers.forEach((value, slot) => {
        if (Number.isNaN(value)) return;
        const before = total[slot] ?? NaN;
        total[slot] = Number.isNaN(before) ? value : before + value;
      });
    }
    return total;
  }

  #numbersOf(process: string): Float64Array {
    let numbers = this.#byProcess.get(process);
    if (numbers === undefined) {
      numbers = this.#newNumbers();
      this.#byProcess.set(process, numbers);
    }
    return numbers;
  }

  #newNumbers(): Float64Array {
    return new Float64Array(this.#layout.length).fill(this.#isGauge ? NaN : 0);
  }
}
