/**
 * The end of the Node backend in this process: starts it, knows where it is.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const BACKEND = fileURLToPath(new URL('./node-backend.ts', import.meta.url));

export interface NodeBackend extends Disposable {
  /** On 127.0.0.1. */
  readonly httpPort: number;
  readonly tcpPort: number;
}

export async function startNodeBackend(): Promise<NodeBackend> {
  const child = fork(BACKEND, { execArgv: ['--import', 'tsx'] });
  const [ports] = (await once(child, 'message')) as [{ readonly httpPort: number; readonly tcpPort: number }];
  return { ...ports, [Symbol.dispose]: () => child.disconnect() };
}
