/**
 * The commands that ask a running program, as a user runs them in the directory of the program.
 *
 *     const { code, stdout } = await command(program, ['expire', 'all']);
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../bin/peter-sslers-proxy', import.meta.url));

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly tookMs: number;
}

/** @param input what it reads from standard input. */
export function command(
  { cwd }: { readonly cwd: string },
  words: readonly string[],
  input = '',
): Promise<CommandResult> {
  return run(process.execPath, [BIN, ...words], cwd, input);
}

/** A whole line as the program has printed it: by a shell, so that quotes count. */
export function commandLine({ cwd }: { readonly cwd: string }, line: string): Promise<CommandResult> {
  const script = line.replaceAll(/(?<=^|&& )peter-sslers-proxy/g, '"$0" "$1"');
  return run('sh', ['-c', script, process.execPath, BIN], cwd, '');
}

async function run(
  program: string,
  args: readonly string[],
  cwd: string,
  input: string,
): Promise<CommandResult> {
  const startedAtMs = performance.now();
  const child = spawn(program, args, { cwd });
  const ended = once(child, 'close');
  child.stdin.on('error', () => undefined).end(input); // most of them do not read it
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = (await ended) as [number | null];
  return { code, stdout, stderr, tookMs: performance.now() - startedAtMs };
}
