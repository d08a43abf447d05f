/**
 * Tests that start the program run `dist`. This says so when it was built from other sources than `lib` has now.
 *
 * By the SHA-256 of each source file, which the build notes in `dist/.sources`. Times would not do: a checkout changes them.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
let isFresh = false;

/** @throws with what to do about it. Looks once a process. */
export function assertFreshDist(root = ROOT): void {
  if (isFresh && root === ROOT) return;
  const built = builtFrom(resolve(root, 'dist/.sources'));
  const sources = readdirSync(resolve(root, 'lib'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') || name.startsWith('dashboard/'))
    .map((name) => join('lib', name));
  const stale = sources.find((file) => built.get(file) !== hashOf(resolve(root, file)));
  const gone = [...built.keys()].find((file) => !sources.includes(file));
  const file = stale ?? gone;
  if (file !== undefined) throw new Error(`dist/ is not built from ${file} as it is: run \`npm run build\``);
  isFresh ||= root === ROOT;
}

/** The hash that each source file had, by its path from the root, as `sha256sum` writes them: `<hash>  <path>`. */
function builtFrom(path: string): Map<string, string> {
  if (!existsSync(path)) throw new Error('dist/ is missing: run `npm run build`');
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean);
  return new Map(lines.map((line) => [line.slice(66), line.slice(0, 64)]));
}

function hashOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}
