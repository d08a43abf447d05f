/** The numbers of all metrics as plain JSON, for whoever draws them. PURE. */
import type { SeriesValue } from '../domain/status-report.js';
import { LAYOUTS } from './layout.js';
import type { MetricsStore } from './store.js';

/** Of a histogram how often it was observed, and the sum. */
export function metricValues(store: MetricsStore): SeriesValue[] {
  return LAYOUTS.flatMap(({ name, definition, buckets }) =>
    store.series(name).map(({ labels, numbers }): SeriesValue => {
      if (definition.type !== 'histogram') return { name, labels, value: numbers[0] ?? 0 };
      const counts = numbers.slice(0, buckets.length + 1);
      const sum = numbers[buckets.length + 1] ?? 0;
      return { name, labels, count: counts.reduce((total, count) => total + count, 0), sum };
    }),
  );
}
