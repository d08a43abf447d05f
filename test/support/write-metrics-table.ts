/**
 * Writes the table of metrics into docs/metrics.md: `npm run docs:metrics`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { metricsTable } from './metrics-table.js';

const file = new URL('../../docs/metrics.md', import.meta.url);
const text = readFileSync(file, 'utf8');
writeFileSync(
  file,
  text.replace(
    /(<!-- metrics -->\n\n?)[\s\S]*?(\n\n?<!-- \/metrics -->)/,
    (_, begin: string, end: string) => begin + metricsTable() + end,
  ),
);
