/**
 * Measures how late a change arrives and how often Redis is asked, with what is in `dist/`, and draws docs/staleness.svg. Half a minute:
 *
 *     npm run build && npm run bench:staleness
 *
 * What was measured is kept in measured.json beside this.
 */
import { writeFile } from 'node:fs/promises';
import { measure } from './measure.js';
import { plotOf } from './plot.js';

// Processes that it starts end with it, which a signal alone would not bring about.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const measured = await measure();
await writeFile(new URL('measured.json', import.meta.url), `${JSON.stringify(measured, null, 2)}\n`);
await writeFile(new URL('../../docs/staleness.svg', import.meta.url), plotOf(measured));
process.stdout.write(
  `longest ${measured.longest} s of ${measured.durations.cert + measured.durations.lru} s; looks a second and name: ${measured.load
    .map(({ certSeconds, perName }) => `${perName} at ${certSeconds} s`)
    .join(', ')}\n`,
);
