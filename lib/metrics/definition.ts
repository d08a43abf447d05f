/**
 * What a metric is, as the table in `definitions.ts` has it, and the types that follow from that. PURE.
 *
 * Every label has a closed set of values: a series costs memory here, in Prometheus and on every dashboard, and whoever could make up
 * values (a client by its server name) could make up series.
 */

/** The value for whatever is not in a set. A set with it takes any string. */
export const OTHER = 'other';

interface Common {
  /** One sentence, without a full stop. */
  readonly help: string;
  /** Name and values of each. */
  readonly labels?: Readonly<Record<string, readonly string[]>>;
  /** Each process has series of its own, with the label `process`. Absent: the processes are added up. */
  readonly perProcess?: true;
}

export type Definition = Common &
  (
    | { readonly type: 'counter' | 'gauge' }
    /** `buckets`: upper bounds, ascending, without infinity. */
    | { readonly type: 'histogram'; readonly buckets: readonly number[] }
  );

type ValueIn<Set extends readonly string[]> = typeof OTHER extends Set[number] ? string : Set[number];

/** The labels of a metric, each with a value. */
export type LabelsOf<D> = D extends { readonly labels: infer Labels }
  ? {
      readonly [Name in keyof Labels]: Labels[Name] extends readonly string[] ? ValueIn<Labels[Name]> : never;
    }
  : Readonly<Record<string, never>>;
