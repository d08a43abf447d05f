/**
 * The table of metrics in docs/metrics.md, made from the one table that the program counts by.
 */
import { LAYOUTS } from '../../lib/metrics/layout.js';

const escape = (text: string): string => text.replaceAll('|', '\\|');
/** The labels of these say what runs: their values differ from build to build. */
const OF_THE_BUILD = 'peter_sslers_build_info';

export function metricsTable(): string {
  const rows = LAYOUTS.map(({ name, definition }) => {
    const labels = Object.entries(definition.labels ?? {}).map(([label, values]) =>
      name === OF_THE_BUILD ? `\`${label}\`` : `\`${label}\`: ${values.join(', ')}`,
    );
    if (definition.perProcess === true) labels.unshift('`process`: primary, worker-1, worker-2, …');
    return `| \`${name}\` | ${definition.type} | ${escape(labels.join('; '))} | ${escape(definition.help)} |`;
  });
  return ['| metric | type | labels | |', '|---|---|---|---|', ...rows].join('\n');
}
