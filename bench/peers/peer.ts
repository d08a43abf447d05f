/**
 * Servers of others: what they are told, and how they are started, with a configuration that is written for the purpose.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { basename, join } from 'node:path';
import { launch, stop } from '../launch.js';
import { childrenOf } from '../processes.js';
import type { Server } from '../servers.js';
import { accepts } from '../../test/support/accepts.js';
import { eventually } from '../../test/support/eventually.js';
import { unusedPort } from '../../test/support/unused-port.js';
import { ENVIRONMENT } from './installed.js';

/** A certificate chain on disk, for one name. */
export interface PairFiles {
  readonly name: string;
  readonly chainPath: string;
  readonly keyPath: string;
}

/** `http`: HTTP/1.1 and HTTP/2 to HTTP/1.1 on kept connections. `tcp`: the decrypted bytes as they are. */
export type ProxyMode = 'http' | 'tcp';

/** What a proxy is to do. */
export interface ProxyTask {
  readonly mode: ProxyMode;
  readonly pair: PairFiles;
  /** What a proxy that chooses by name shows where it has not chosen. */
  readonly otherPair: PairFiles;
  /** On 127.0.0.1. */
  readonly backendPort: number;
  /** For the configuration and whatever else; not there yet. */
  readonly dir: string;
  /** The Node binary that this program runs on. */
  readonly node: string;
}

export interface Peer {
  readonly name: string;
  readonly modes: readonly ProxyMode[];
  /** It is no proxy, but what this program stands on: it reads no request, is slow at first, and there is nothing to lose against it. */
  readonly isFloor?: true;
  readonly start: (task: ProxyTask) => Promise<Server>;
}

export interface ServerStart {
  readonly command: string;
  readonly dir: string;
  /** How many it is when it is ready. */
  readonly processes: number;
  readonly env?: Readonly<Record<string, string>>;
  /** The text of the configuration file, for a port to listen on. */
  readonly configFor: (port: number) => string;
  /** The flags, for the path of that file. */
  readonly flagsFor: (configPath: string) => readonly string[];
}

/** Resolves when it accepts connections and all its processes are there. @throws Error when it does not. */
export async function startServer({
  command,
  dir,
  processes,
  env,
  configFor,
  flagsFor,
}: ServerStart): Promise<Server> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const port = await unusedPort();
  const configPath = join(dir, `${basename(command)}.conf`);
  await writeFile(configPath, configFor(port));
  const startedMs = performance.now();
  const child = launch(command, flagsFor(configPath), {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...ENVIRONMENT, ...env },
  });
  // Caddy talks before it has read that it should not: of its start only a failure is worth reading.
  let isStarted = false;
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    if (isStarted) process.stderr.write(chunk);
    else said += chunk.toString();
  });
  const failed = once(child, 'close').then(([code]) => {
    throw new Error(`${command} ended with code ${code} at its start: ${said}`);
  });
  const pidsNow = async (): Promise<number[]> => {
    const pid = child.pid ?? 0;
    return [pid, ...(await childrenOf(pid))];
  };
  // The kernel accepts before nginx has forked the worker that does the work.
  const isReady = async (): Promise<boolean> => {
    await accepts(port);
    return (await pidsNow()).length === processes;
  };
  try {
    await Promise.race([eventually(`${command} is ready`, isReady), failed]);
    isStarted = true;
    return {
      port,
      pids: await pidsNow(),
      readyMs: performance.now() - startedMs,
      [Symbol.asyncDispose]: () => stop(child),
    };
  } catch (error) {
    await stop(child);
    throw error;
  } finally {
    // Later it ends because it is told to.
    failed.catch(() => undefined);
  }
}
