/**
 * A small program that embeds the library, run as a process of its own: the library forks workers.
 *
 *     await using program = await startEmbedder({ 'lru-cache-duration': 0.2 }, `
 *       proxy.cache.set('a.test', [input.pair]);
 *     `, { pair });
 *
 * The script runs once the proxy is started, with `proxy`, `cluster` and `input` in scope, and before the ready line.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SettingValue } from '../../lib/index.js';
import { assertFreshDist } from './fresh-dist.js';
import { Program } from './program.js';

const LIBRARY = new URL('../../dist/index.js', import.meta.url).href;

export interface EmbedderOptions {
  /** JavaScript that runs before the proxy is started. */
  readonly before?: string;
  /** JavaScript for the sources, an array. */
  readonly sources?: string;
}

export async function startEmbedder(
  settings: Readonly<Record<string, SettingValue | undefined>>,
  script: string,
  input: unknown = {},
  { before = '', sources }: EmbedderOptions = {},
): Promise<Program> {
  assertFreshDist();
  const all = { listen: '127.0.0.1:0', workers: 1, 'log-level': 'debug', 'log-format': 'json', ...settings };
  const source = `
    import cluster from 'node:cluster';
    import { start } from ${JSON.stringify(LIBRARY)};
    const input = ${JSON.stringify(input)};
    ${before}
    const proxy = await start({
      settings: ${JSON.stringify(all)},
      ${sources === undefined ? '' : `sources: ${sources},`}
    });
    ${script}
    const [{ host, port }] = proxy.addresses;
    process.stdout.write('ready https://' + host + ':' + port + '\\n');
  `;
  const cwd = await mkdtemp(join(tmpdir(), 'peter-sslers-proxy-test-'));
  // In a file: what is behind --eval would be run by the workers too, as Node's own flags are.
  const path = join(cwd, 'embedder.mjs');
  await writeFile(path, source);
  const child = spawn(process.execPath, [path], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const program = new Program(child, cwd, true);
  try {
    await program.until('it is ready', ({ stdout }) => /^ready .*\n/m.test(stdout));
  } catch (error) {
    await program[Symbol.asyncDispose]();
    throw error;
  }
  return program;
}

/** What the script has said with `say(…)`. */
export function said(program: Program): unknown[] {
  return program.stdout
    .split('\n')
    .filter((line) => line.startsWith('say '))
    .map((line) => JSON.parse(line.slice(4)) as unknown);
}

/** For `before`: `say(value)`, and `failureOf(run)` for the code and the message of what it throws. */
export const SAY = `
  const say = (value) => process.stdout.write('say ' + JSON.stringify(value) + '\\n');
  const failureOf = async (run) => {
    try { await run(); return 'nothing'; } catch (error) { return error.code + ': ' + error.message; }
  };
`;
