/**
 * Where the numbers of a metric are: each combination of its labels' values has a slot in an array. PURE.
 *
 * The slots are the same in all processes, since all have the same table: on the bus a slot stands for its labels.
 */
import { OTHER, type Definition } from './definition.js';
import { METRICS, type MetricName } from './definitions.js';

type AnyLabels = Readonly<Record<string, string>>;

interface Label {
  readonly name: string;
  readonly values: readonly string[];
  readonly places: ReadonlyMap<string, number>;
  /** Where a value that is not in the set goes; undefined: nowhere. */
  readonly other: number | undefined;
}

export class Layout {
  readonly name: MetricName;
  readonly definition: Definition;
  /** Empty unless it is a histogram. */
  readonly buckets: readonly number[];
  /** Numbers of one combination: 1; of a histogram its buckets, those above all of them, and the sum. */
  readonly width: number;
  /** Combinations of labels. */
  readonly combinations: number;
  readonly #labels: readonly Label[];

  constructor(name: MetricName, definition: Definition) {
    this.name = name;
    this.definition = definition;
    this.buckets = definition.type === 'histogram' ? definition.buckets : [];
    this.width = definition.type === 'histogram' ? definition.buckets.length + 2 : 1;
    this.#labels = Object.entries(definition.labels ?? {}).map(([label, values]) => ({
      name: label,
      values,
      places: new Map(values.map((value, place) => [value, place])),
      other: values.includes(OTHER) ? values.indexOf(OTHER) : undefined,
    }));
    this.combinations = this.#labels.reduce((product, { values }) => product * values.length, 1);
  }

  /** How long the array is. */
  get length(): number {
    return this.combinations * this.width;
  }

  /** The combination that labels name; undefined: a value is not in its set. */
  combinationOf(labels: AnyLabels): number | undefined {
    let combination = 0;
    for (const { name, values, places, other } of this.#labels) {
      const place = places.get(labels[name] ?? '') ?? other;
      if (place === undefined) return undefined;
      combination = combination * values.length + place;
    }
    return combination;
  }

  /** The labels of a combination, in the order of the table. */
  labelsOf(combination: number): AnyLabels {
    let rest = combination;
    const pairs: [string, string][] = [];
    for (const { name, values } of [...this.#labels].reverse()) {
      pairs.unshift([name, values[rest % values.length] ?? '']);
      rest = Math.floor(rest / values.length);
    }
    return Object.fromEntries(pairs);
  }
}

/** In the order of the table. */
export const LAYOUTS: readonly Layout[] = Object.entries(METRICS).map(
  ([name, definition]) => new Layout(name as MetricName, definition),
);

const BY_NAME: ReadonlyMap<string, Layout> = new Map(LAYOUTS.map((layout) => [layout.name, layout]));

export function layoutOf(name: MetricName): Layout {
  const layout = BY_NAME.get(name);
  if (layout === undefined) throw new TypeError(`${name} is no metric`);
  return layout;
}

/** The same for a name that came from elsewhere. */
export function findLayout(name: string): Layout | undefined {
  return BY_NAME.get(name);
}
