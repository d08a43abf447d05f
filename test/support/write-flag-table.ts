/**
 * Writes the table of flags into docs/flags.md: `npm run docs:flags`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { flagTable } from './flag-table.js';

const file = new URL('../../docs/flags.md', import.meta.url);
const text = readFileSync(file, 'utf8');
writeFileSync(
  file,
  text.replace(
    /(<!-- flags -->\n\n?)[\s\S]*?(\n\n?<!-- \/flags -->)/,
    (_, begin: string, end: string) => begin + flagTable() + end,
  ),
);
