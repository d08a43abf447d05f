/**
 * Starting a server of others, with a configuration that is written for the purpose.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { join } from 'node:path';
import { launch, stop } from '../launch.js';
import { childrenOf } from '../processes.js';
import type { Server } from '../servers.js';
import { accepts } from '../../test/support/accepts.js';
import { eventually } from '../../test/support/eventually.js';
import { unusedPort } from '../../test/support/tcp-backend.js';
import { ENVIRONMENT } from './installed.js';

/** What a proxy is to do. */
export interface ProxyTask {
  /** `http`: HTTP/1.1 and HTTP/2 to HTTP/1.1 on kept connections. `tcp`: the decrypted bytes as they are. */
  readonly mode: 'http' | 'tcp';
  readonly chainPath: string;
  readonly keyPath: string;
  /** On 127.0.0.1. */
  readonly backendPort: number;
  /** For the configuration and whatever else; not there yet. */
  readonly dir: string;
}

export interface PeerStart {
  readonly command: string;
  readonly dir: string;
  /** The text of the configuration file, for a port to listen on. */
  readonly configFor: (port: number) => string;
  /** The flags, for the path of that file. */
  readonly flagsFor: (configPath: string) => readonly string[];
}

/** Resolves when it accepts connections. @throws Error when it does not. */
export async function startPeerProxy({ command, dir, configFor, flagsFor }: PeerStart): Promise<Server> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const port = await unusedPort();
  const configPath = join(dir, `${command}.conf`);
  await writeFile(configPath, configFor(port));
  const startedMs = performance.now();
  const child = launch(command, flagsFor(configPath), {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: ENVIRONMENT,
  });
  const failed = once(child, 'exit').then(([code]) => {
    throw new Error(`${command} ended with code ${code} at its start`);
  });
  try {
    await Promise.race([eventually(`${command} accepts connections`, () => accepts(port)), failed]);
    const pid = child.pid ?? 0;
    return {
      port,
      pids: [pid, ...(await childrenOf(pid))],
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
