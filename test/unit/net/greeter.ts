/**
 * Starts `greeting-child.ts`, built at once for all: to load TypeScript would take most of its time.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

const { outputFiles } = buildSync({
  entryPoints: [fileURLToPath(new URL('greeting-child.ts', import.meta.url))],
  bundle: true,
  platform: 'node',
  format: 'esm',
  write: false,
});
const PROGRAM = outputFiles.map(({ text }) => text).join('');

/** @param args its name, and the path that it is to listen on if it is sent no handle. */
export function startGreeter(...args: readonly string[]): ChildProcess {
  return spawn(process.execPath, ['--input-type=module', '--eval', PROGRAM, '--', ...args], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
}
