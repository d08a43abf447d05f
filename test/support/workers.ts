/**
 * Choosing which worker answers.
 */
import type { Program } from './program.js';

/**
 * Does something while one worker alone is awake: all connections go to it. What is sent to the others reaches them
 * afterwards.
 */
export async function withOnlyWorker<T>(program: Program, pid: number, act: () => Promise<T>): Promise<T> {
  const others = (await program.workerPids()).filter((other) => other !== pid);
  for (const other of others) process.kill(other, 'SIGSTOP');
  try {
    return await act();
  } finally {
    for (const other of others) process.kill(other, 'SIGCONT');
  }
}
