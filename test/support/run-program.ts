/**
 * A command of the real program that does its work and ends: `check`, `status`.
 *
 *     const { code, stdout } = await runCommand(['check', '--redis-strategy', '1'], { cwd });
 */
import { spawn } from 'node:child_process';
import { assertFreshDist } from './fresh-dist.js';
import { BIN } from './process-stage.js';

export interface RunOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Standard input, whole. */
  readonly input?: string;
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Resolves when it has ended. */
export async function runCommand(
  argv: readonly string[],
  { cwd, env, input = '' }: RunOptions,
): Promise<Ended> {
  assertFreshDist();
  const child = spawn(process.execPath, [BIN, ...argv], { cwd, env: { ...process.env, ...env } });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  // One that has ended reads nothing.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { code, stdout, stderr };
}
