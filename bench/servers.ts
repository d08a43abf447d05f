/**
 * The servers that are measured, as processes of their own.
 */
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { launch, stop } from './launch.js';
import type { BenchOptions } from './options.js';
import { childrenOf } from './processes.js';

export interface Server extends AsyncDisposable {
  readonly port: number;
  /** Of all its processes, the first one that was started in front. */
  readonly pids: readonly number[];
  /** From the start of the process to the line that says it accepts. */
  readonly readyMs: number;
}

export interface HttpsSettings {
  /** Files. */
  readonly cert: string;
  readonly key: string;
}

const PROGRAM = fileURLToPath(new URL('../bin/peter-sslers-proxy', import.meta.url));
const HTTPS = fileURLToPath(new URL('./peers/https-server.mjs', import.meta.url));
const START_TIMEOUT_MS = 20_000;

/** Starts this program, built, in a directory of its own. */
export function startProgram(
  options: BenchOptions,
  flags: readonly string[],
  stateDir: string,
): Promise<Server> {
  const own = ['--listen', '127.0.0.1:0', '--workers', String(options.workers), '--state-dir', stateDir];
  const ready = /^ready https:\/\/\S+?:(\d+) /m;
  return start(options, [PROGRAM, 'start', ...own, '--log-level', 'err', ...flags], ready);
}

/** Starts the plain `https` server. */
export function startHttps(options: BenchOptions, settings: HttpsSettings): Promise<Server> {
  return start(options, [HTTPS, JSON.stringify(settings)], /^(\d+)\n/);
}

async function start(options: BenchOptions, args: readonly string[], ready: RegExp): Promise<Server> {
  const profile =
    options.profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${options.profileDir}`];
  const startedMs = performance.now();
  const child = launch(options.node, [...profile, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const port = Number((await firstMatch(child, ready))[1]);
    const readyMs = performance.now() - startedMs;
    const pid = child.pid ?? 0;
    return {
      port,
      pids: [pid, ...(await childrenOf(pid))],
      readyMs,
      [Symbol.asyncDispose]: () => stop(child),
    };
  } catch (error) {
    await stop(child);
    throw error;
  }
}

function firstMatch(child: ChildProcess, pattern: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    let output = '';
    const timer = setTimeout(() => reject(new Error(`not ready in time: ${output}`)), START_TIMEOUT_MS);
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      const match = pattern.exec(output);
      if (match === null) return;
      clearTimeout(timer);
      resolve(match);
    });
    child.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`a server ended with code ${code} at its start`));
    });
    child.once('error', reject);
  });
}
