/**
 * Reads what `metricsText` writes, and has Prometheus' own tool look at it.
 *
 *     const metrics = readMetrics(text);
 *     metrics.sum('peter_sslers_handshakes_total', { tier: 'lru' });
 */
import { spawnSync } from 'node:child_process';

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface MetricsText {
  readonly samples: readonly Sample[];
  /** The sum of the samples with these labels; 0 without any. */
  sum(this: void, name: string, labels?: Readonly<Record<string, string>>): number;
}

export function readMetrics(text: string): MetricsText {
  const samples = text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map(sampleOf);
  return {
    samples,
    sum: (name, labels = {}) =>
      samples
        .filter((sample) => sample.name === name && hasAll(sample, labels))
        .reduce((total, { value }) => total + value, 0),
  };
}

/** Samples that only grow: counters, and the parts of histograms. By name and labels. */
export function countsOf({ samples }: MetricsText): ReadonlyMap<string, number> {
  const counts = samples.filter(({ name }) => /_(?:total|bucket|count|sum)$/.test(name));
  return new Map(counts.map(({ name, labels, value }) => [`${name} ${JSON.stringify(labels)}`, value]));
}

/** What promtool has against a text; empty: nothing. */
export function promtoolProblems(text: string): string {
  const { error, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
    input: text,
    encoding: 'utf8',
  });
  if (error !== undefined) throw error;
  return stdout + stderr;
}

function sampleOf(line: string): Sample {
  const [, name = '', labels = '', value = ''] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
  const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)];
  return {
    name,
    labels: Object.fromEntries(pairs.map(([, label = '', text = '']) => [label, text])),
    value: value === '+Inf' ? Infinity : Number(value),
  };
}

function hasAll({ labels: own }: Sample, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(labels).every(([label, value]) => own[label] === value);
}
