/**
 * What a worker keeps in memory when all garbage is gone. What a process has from the system says little of that: it
 * grows with the garbage, and hardly ever shrinks.
 *
 *     await using program = await startProgram(flags, { nodeFlags: PROBE_FLAGS });
 *     const bytes = await liveBytes(program, worker);
 */
import { fileURLToPath } from 'node:url';
import type { Program } from './program.js';

/** What Node needs for it, in every process of the program. */
export const PROBE_FLAGS: readonly string[] = [
  ...['--expose-gc', '--require', fileURLToPath(new URL('memory-probe.cjs', import.meta.url))],
];

/** The bytes that are reachable in a worker: its heap, its buffers, and what V8 knows of native memory. */
export async function liveBytes(program: Program, workerPid: number): Promise<number> {
  const wanted = { pid: workerPid };
  const seen = program.log.filter(({ msg, pid }) => msg === 'memory' && pid === workerPid).length;
  process.kill(workerPid, 'SIGUSR2');
  return Number((await program.logged('memory', wanted, seen + 1))['liveBytes']);
}
