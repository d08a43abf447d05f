/**
 * The benchmark: `npm run bench`. Builds nothing: it measures what is in `dist/`.
 */
import '../test/support/environment.js';
import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { comparisonText, isComplete, type Comparison } from './comparison.js';
import { NotInstalledError, peerVersions } from './peers/installed.js';
import { PEERS } from './peers/peers.js';
import { readOptions, type BenchOptions } from './options.js';
import { table, type Row } from './report.js';
import { writeResults } from './results.js';
import { bodies } from './scenarios/bodies.js';
import { idleConnections } from './scenarios/idle-connections.js';
import { memory } from './scenarios/memory.js';
import { handshakes, http2, proxying } from './scenarios/peers.js';
import { start } from './scenarios/start.js';
import { tiers } from './scenarios/tiers.js';
import { makeSetting, type Setting } from './setting.js';

const COMPARISONS: Readonly<Record<string, (setting: Setting) => Promise<Comparison[]>>> = {
  handshakes,
  proxying,
  http2,
};
const OTHERS: Readonly<Record<string, (setting: Setting) => Promise<Row[]>>> = {
  tiers,
  memory,
  idle: idleConnections,
  start,
  bodies,
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
  const wanted = <T>(groups: Readonly<Record<string, T>>): [string, T][] =>
    Object.entries(groups).filter(([name]) => options.only === undefined || options.only === name);
  const conditions = conditionsOf(options);
  // Before anything is measured: something may have to be installed.
  if (wanted(COMPARISONS).length > 0) conditions.push(`Peers: ${await peerVersions()}`);
  await using setting = await makeSetting(options);
  const comparisons: Comparison[] = [];
  for (const [name, measure] of wanted(COMPARISONS)) {
    process.stderr.write(`${name} …\n`);
    comparisons.push(...(await measure(setting)));
  }
  const rows: Row[] = [];
  for (const [name, measure] of wanted(OTHERS)) {
    process.stderr.write(`${name} …\n`);
    rows.push(...(await measure(setting)));
  }
  const parts = [`${conditions.map((condition) => `- ${condition}`).join('\n')}\n`];
  if (comparisons.length > 0) parts.push(comparisonText(comparisons, PEERS));
  if (rows.length > 0) parts.push(table(rows));
  const text = parts.join('\n');
  process.stdout.write(`Node ${nodeVersion}\n\n${text}`);
  if (options.write) await writeResults({ nodeVersion, text });
  if (!isComplete(comparisons)) process.exitCode = 1;
}

function conditionsOf({ rounds, operations, workers }: BenchOptions): string[] {
  const model = cpus()[0]?.model ?? 'unknown processor';
  return [
    `${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${model}, Linux`,
    `${rounds} rounds of ${operations} operations; workers in tiers and start: ${workers}`,
  ];
}
