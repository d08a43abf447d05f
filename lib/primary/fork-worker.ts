/**
 * Forks a worker. The settings of `node:cluster` are one for the whole process, and an embedder may have workers of its own: ours are set
 * for the moment of a fork alone, and none of the others counts for it.
 */
import cluster, { type ClusterSettings, type Worker } from 'node:cluster';
import { fileURLToPath } from 'node:url';
import { describeError, environmentError } from '../domain/errors.js';

/** Where Node loads the program of the workers from. */
export const WORKER_PROGRAM = fileURLToPath(new URL('../worker/main.js', import.meta.url));

/** @throws ProxyError ERR_ENVIRONMENT */
export function forkWorker(): Worker {
  // Node's types have it as fixed. It merges what is there into what it is given: nothing else puts it back as it was.
  const mutable: { settings: ClusterSettings } = cluster;
  const theirs = mutable.settings;
  mutable.settings = { exec: WORKER_PROGRAM, args: [], execArgv: withoutScript(process.execArgv) };
  try {
    return cluster.fork();
  } catch (thrown) {
    throw environmentError(`a worker cannot be started: ${describeError(thrown)}`);
  } finally {
    mutable.settings = theirs;
  }
}

const SCRIPT_FLAGS = new Set(['-e', '--eval', '-p', '--print', '-pe', '--input-type']);

/** The flags of an embedder's Node, without a script given by `node -e`, and what it is written in: the workers would run that. */
function withoutScript(execArgv: readonly string[]): string[] {
  return execArgv.filter(
    (flag, i) => !SCRIPT_FLAGS.has(flag.replace(/=[\s\S]*/, '')) && !SCRIPT_FLAGS.has(execArgv[i - 1] ?? ''),
  );
}
