/**
 * From figures to rows.
 */
import { ratioOf, type Figure } from './measure.js';
import type { Row } from './report.js';

export function cost({ median, quartiles: [lower, upper] }: Figure): string {
  return `${median.toFixed(0)} µs [${lower.toFixed(0)}–${upper.toFixed(0)}]`;
}

/** A figure compared with another one. `atMost`: the ratio that is wanted. */
export function ratioRow(base: Figure, figure: Figure, atMost?: number): Row {
  const ratio = ratioOf(figure, base);
  return {
    what: figure.title,
    ours: cost(figure),
    base: `${cost(base)} ${base.title}`,
    ratio,
    ...(atMost === undefined ? {} : { wanted: { text: `≤ ${atMost.toFixed(2)} ×`, value: ratio, atMost } }),
  };
}
