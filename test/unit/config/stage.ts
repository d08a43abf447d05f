/** The input of `loadSettings` with nothing set: tests add what they are about. */
import { loadSettings, type LoadInput, type Loaded } from '../../../lib/config/load.js';

const NOW_MS = Date.parse('2026-06-01T00:00:00Z');

export interface Given {
  /** `{ listen: '127.0.0.1:1' }`; a list for a flag that is given several times. */
  flags?: Record<string, string | string[]>;
  env?: Record<string, string>;
  files?: Record<string, string>;
  checkHtpasswd?: (text: string) => void;
  hasIpv6?: boolean;
}

/** Loads from flags, environment and files in memory; the working directory is `/work-dir`. */
export function load({ flags = {}, env = {}, files = {}, checkHtpasswd, hasIpv6 }: Given = {}): Loaded {
  const input: LoadInput = {
    flags: Object.fromEntries(Object.entries(flags).map(([name, value]) => [name, [value].flat()])),
    env,
    readFile: (path) => {
      const text = files[path];
      if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
      if (text === 'FORBIDDEN') throw Object.assign(new Error('forbidden'), { code: 'EACCES' });
      return text;
    },
    cwd: '/work-dir',
    cpuCount: 3,
    nowMs: NOW_MS,
    ...(hasIpv6 !== undefined && { hasIpv6 }),
    ...(checkHtpasswd && { checkHtpasswd }),
  };
  return loadSettings(input);
}

/** The one sentence that loading ends with; fails when it does not. */
export function problemOf(given: Given): string {
  try {
    load(given);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_USAGE') return error.message;
    throw error;
  }
  throw new Error('the settings were accepted');
}
