/**
 * The text format of Prometheus, version 0.0.4: what a scrape is answered. PURE.
 *
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 */
import { LAYOUTS, type Layout } from './layout.js';
import type { MetricsStore, Series } from './store.js';

export const TEXT_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export function metricsText(store: MetricsStore): string {
  return LAYOUTS.map((layout) => familyText(layout, store.series(layout.name))).join('');
}

/** One metric with its series; nothing where it has none. */
export function familyText({ name, definition, buckets }: Layout, series: readonly Series[]): string {
  if (series.length === 0) return '';
  const lines = [`# HELP ${name} ${escapeHelp(definition.help)}`, `# TYPE ${name} ${definition.type}`];
  for (const { labels, numbers } of series) {
    if (definition.type !== 'histogram') lines.push(line(name, labels, numbers[0] ?? NaN));
    else lines.push(...histogramLines(name, labels, buckets, numbers));
  }
  return `${lines.join('\n')}\n`;
}

function histogramLines(
  name: string,
  labels: Series['labels'],
  buckets: readonly number[],
  numbers: readonly number[],
): string[] {
  let count = 0;
  const lines = [...buckets, Infinity].map((bound, place) => {
    count += numbers[place] ?? 0;
    return line(`${name}_bucket`, { ...labels, le: numberText(bound) }, count);
  });
  const sum = numbers[buckets.length + 1] ?? 0;
  return [...lines, line(`${name}_sum`, labels, sum), line(`${name}_count`, labels, count)];
}

function line(name: string, labels: Series['labels'], value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${numberText(value)}`;
}

function numberText(value: number): string {
  if (value === Infinity) return '+Inf';
  return value === -Infinity ? '-Inf' : String(value);
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}
