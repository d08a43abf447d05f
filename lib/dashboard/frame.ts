/**
 * What the page is sent once a second, and sums over it. PURE.
 *
 * Nothing is taken for granted of what is sent: a series that is not there counts as nothing, as in a program just started.
 */
import type { StatusReport } from '../domain/status-report.js';

/** One series of a metric: a number, or of a histogram how many observations there were, and their sum. */
export interface Sample {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly value?: number;
  readonly count?: number;
  readonly sum?: number;
}

export interface Frame {
  readonly status: StatusReport;
  readonly series?: readonly Sample[];
}

/** Labels that a series must have. */
export type Where = Readonly<Record<string, string>>;

export interface Sum {
  /** Of a counter or a gauge its value; of a histogram how many observations there were. */
  readonly count: number;
  /** Of a histogram: all observations added up. */
  readonly sum: number;
}

export class Numbers {
  readonly #families = new Map<string, Sample[]>();

  constructor(series: readonly Sample[] = []) {
    for (const sample of series) {
      const family = this.#families.get(sample.name);
      if (family === undefined) this.#families.set(sample.name, [sample]);
      else family.push(sample);
    }
  }

  has(name: string): boolean {
    return this.#families.has(name);
  }

  sum(name: string, where: Where = {}): Sum {
    let count = 0;
    let sum = 0;
    for (const sample of this.#matching(name, where)) {
      count += sample.value ?? sample.count ?? 0;
      sum += sample.sum ?? 0;
    }
    return { count, sum };
  }

  value(name: string, where?: Where): number {
    return this.sum(name, where).count;
  }

  /** The values of a label that there are, in the order in which they come. */
  valuesOf(name: string, label: string): string[] {
    const values = (this.#families.get(name) ?? []).map(({ labels }) => labels?.[label]);
    return [...new Set(values.filter((value) => value !== undefined))];
  }

  #matching(name: string, where: Where): Sample[] {
    const wanted = Object.entries(where);
    const family = this.#families.get(name) ?? [];
    return family.filter(({ labels }) => wanted.every(([label, value]) => labels?.[label] === value));
  }
}
