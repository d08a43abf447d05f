/**
 * Tests that start the program run `dist`. This says so when it was built from other sources than `lib` has now.
 *
 * By what `tsc` notes of its last build: the SHA-256 of each source file. Times would not do: a checkout changes them.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
let isFresh = false;

/** @throws with what to do about it. Looks once a process. */
export function assertFreshDist(root = ROOT): void {
  if (isFresh && root === ROOT) return;
  const built = builtFrom(resolve(root, 'dist/.tsbuildinfo'));
  const lib = resolve(root, 'lib');
  const sources = readdirSync(lib, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => resolve(lib, name));
  const stale = sources.find((file) => built.get(file) !== hashOf(file));
  const gone = [...built.keys()].find((file) => file.startsWith(`${lib}/`) && !existsSync(file));
  const file = stale ?? gone;
  if (file !== undefined) throw new Error(`dist/ is not built from ${file} as it is: run \`npm run build\``);
  isFresh ||= root === ROOT;
}

/** The hash that each source file had, by its path. */
function builtFrom(path: string): Map<string, string> {
  if (!existsSync(path)) throw new Error('dist/ is missing: run `npm run build`');
  const info = JSON.parse(readFileSync(path, 'utf8')) as {
    readonly fileNames: readonly string[];
    readonly fileInfos: readonly (string | { readonly version: string })[];
  };
  return new Map(
    info.fileNames.map((name, index) => {
      const known = info.fileInfos[index];
      return [resolve(dirname(path), name), typeof known === 'string' ? known : (known?.version ?? '')];
    }),
  );
}

function hashOf(file: string): string {
  return createHash('sha256').update(readFileSync(file, 'utf8')).digest('hex');
}
