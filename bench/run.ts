/**
 * The benchmark: `npm run bench`. Builds nothing: it measures what is in `dist/`.
 */
import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { NotInstalledError, peerVersions } from './peers/installed.js';
import { readOptions, type BenchOptions } from './options.js';
import { table, writeResults, type Row } from './report.js';
import { handshakes } from './scenarios/handshakes.js';
import { memory } from './scenarios/memory.js';
import { proxying } from './scenarios/proxying.js';
import { start } from './scenarios/start.js';
import { tiers } from './scenarios/tiers.js';
import { makeSetting, type Setting } from './setting.js';

const SCENARIOS: Readonly<Record<string, (setting: Setting) => Promise<Row[]>>> = {
  handshakes,
  tiers,
  memory,
  start,
  proxying,
};

// Processes and keys on disk are done away with when this one exits, which a signal alone would not bring about.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const options = readOptions(process.argv.slice(2));
if (options !== undefined) {
  await run(options).catch((error: unknown) => {
    if (!(error instanceof NotInstalledError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  });
}

async function run(options: BenchOptions): Promise<void> {
  const nodeVersion = execFileSync(options.node, ['--version'], { encoding: 'utf8' }).trim();
  const model = cpus()[0]?.model ?? 'unknown processor';
  const conditions = [
    `${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${model}, Linux`,
    `${options.rounds} rounds of ${options.operations} operations, 4 at once, workers: ${options.workers}`,
  ];
  const isWanted = (group: string): boolean => options.only === undefined || options.only === group;
  // Before anything is measured: something may have to be installed.
  if (isWanted('proxying')) conditions.push(`Proxies to compare with: ${await peerVersions()}`);
  await using setting = await makeSetting(options);
  const rows: Row[] = [];
  for (const [name, measure] of Object.entries(SCENARIOS)) {
    if (!isWanted(name)) continue;
    process.stderr.write(`${name} …\n`);
    rows.push(...(await measure(setting)));
  }
  process.stdout.write(`Node ${nodeVersion}\n${conditions.join('\n')}\n\n${table(rows)}`);
  if (options.write) await writeResults({ nodeVersion, conditions, rows });
}
