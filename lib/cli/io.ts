/**
 * What the command line touches of the process, as one parameter, so that tests need no process.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

export interface CliIo {
  /** Writes to standard output. */
  readonly stdout: (text: string) => void;
  /** Writes to standard error. */
  readonly stderr: (text: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Reads a file whole, as UTF-8. Throws. */
  readonly readFile: (path: string) => string;
  readonly cpuCount: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** The real one. */
export function processIo(): CliIo {
  return {
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    env: process.env,
    cwd: process.cwd(),
    readFile: (path) => readFileSync(path, 'utf8'),
    cpuCount: availableParallelism(),
    now: Date.now,
  };
}
