/**
 * What a process has to tell: numbers in arrays, with a cell for each combination of labels.
 *
 *     const failed = recorder.counter('peter_sslers_handshakes_failed_total');
 *     failed.with({ reason: 'timeout' }).inc();
 *
 * `with` finds the cell by a look-up for each label, without making a string; where even that is too much the cell is kept.
 * `take` hands out what has happened since the last time, for the store of the primary: counts as differences, gauges as they are.
 */
import type { LabelsFor, MetricName, NameOf } from './definitions.js';
import { layoutOf, type Layout } from './layout.js';

export interface Counter {
  /** @param by @default 1 */
  inc(by?: number): void;
  /** For what somebody else counts. @param total since the start of the process. */
  raiseTo(total: number): void;
}

export interface Gauge {
  /** @param value NaN: there is none now. */
  set(value: number): void;
}

export interface Histogram {
  observe(value: number): void;
}

export interface Labelled<Cell, Labels> {
  with(labels: Labels): Cell;
}

/** By metric: slot and number, slot and number, and so on. Null: a gauge without a value. Plain JSON. */
export type MetricsDelta = Readonly<Partial<Record<MetricName, readonly (number | null)[]>>>;

export class Recorder {
  readonly #families = new Map<MetricName, Family>();

  counter<Name extends NameOf<'counter'>>(name: Name): Labelled<Counter, LabelsFor<Name>> {
    return this.#family(name);
  }

  gauge<Name extends NameOf<'gauge'>>(name: Name): Labelled<Gauge, LabelsFor<Name>> {
    return this.#family(name);
  }

  histogram<Name extends NameOf<'histogram'>>(name: Name): Labelled<Histogram, LabelsFor<Name>> {
    return this.#family(name);
  }

  /** What has happened since the last call; undefined: nothing. */
  take(): MetricsDelta | undefined {
    const delta: Partial<Record<MetricName, (number | null)[]>> = {};
    let isEmpty = true;
    for (const [name, family] of this.#families) {
      if (!family.isDirty) continue;
      const pairs = family.take();
      if (pairs.length === 0) continue;
      delta[name] = pairs;
      isEmpty = false;
    }
    return isEmpty ? undefined : delta;
  }

  #family(name: MetricName): Family {
    let family = this.#families.get(name);
    if (family === undefined) {
      family = new Family(layoutOf(name));
      this.#families.set(name, family);
    }
    return family;
  }
}

type AnyCell = Counter & Gauge & Histogram;

const NOWHERE: AnyCell = {
  inc: () => undefined,
  raiseTo: () => undefined,
  set: () => undefined,
  observe: () => undefined,
};

/** One metric. */
class Family {
  readonly layout: Layout;
  readonly values: Float64Array;
  isDirty = false;
  /** Of a gauge: what was taken last. */
  readonly #taken: Float64Array | undefined;
  readonly #cells: (Cell | undefined)[];

  constructor(layout: Layout) {
    this.layout = layout;
    const isGauge = layout.definition.type === 'gauge';
    this.values = new Float64Array(layout.length).fill(isGauge ? NaN : 0);
    this.#taken = isGauge ? this.values.slice() : undefined;
    this.#cells = new Array<Cell | undefined>(layout.combinations).fill(undefined);
  }

  with(labels: Readonly<Record<string, string>>): AnyCell {
    const combination = this.layout.combinationOf(labels);
    // The types keep such labels away. If one comes all the same, a handshake must not fail for it.
    if (combination === undefined) return NOWHERE;
    return (this.#cells[combination] ??= new Cell(this, combination * this.layout.width));
  }

  take(): (number | null)[] {
    this.isDirty = false;
    const { values } = this;
    const taken = this.#taken;
    const pairs: (number | null)[] = [];
    for (let slot = 0; slot < values.length; slot += 1) {
      const value = values[slot] ?? 0;
      if (taken !== undefined) {
        if (Object.is(value, taken[slot])) continue;
        taken[slot] = value;
      } else {
        if (value === 0) continue;
        values[slot] = 0;
      }
      // JSON has no NaN.
      pairs.push(slot, Number.isNaN(value) ? null : value);
    }
    return pairs;
  }
}

/** One series. Which of its methods are for its metric is for the types of `Recorder` to say. */
class Cell implements AnyCell {
  readonly #family: Family;
  readonly #values: Float64Array;
  readonly #slot: number;
  #total = 0;

  constructor(family: Family, slot: number) {
    this.#family = family;
    this.#values = family.values;
    this.#slot = slot;
  }

  inc(by = 1): void {
    this.#add(0, by);
  }

  raiseTo(total: number): void {
    if (total <= this.#total) return;
    this.inc(total - this.#total);
    this.#total = total;
  }

  set(value: number): void {
    if (Object.is(value, this.#values[this.#slot])) return;
    this.#values[this.#slot] = value;
    this.#family.isDirty = true;
  }

  observe(value: number): void {
    const { buckets } = this.#family.layout;
    let place = 0;
    while (place < buckets.length && value > (buckets[place] ?? 0)) place += 1;
    this.#add(place, 1);
    this.#add(buckets.length + 1, value);
  }

  #add(place: number, by: number): void {
    const slot = this.#slot + place;
    this.#values[slot] = (this.#values[slot] ?? 0) + by;
    this.#family.isDirty = true;
  }
}
