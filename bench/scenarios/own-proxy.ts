/**
 * This program as a proxy. One worker, since the peers have one; its certificates are in its LRU for as long as it is measured.
 */
import type { ProxyTask } from '../peers/peer.js';
import { startProgram, type Server } from '../servers.js';
import type { Setting } from '../setting.js';

export function startOwnProxy(
  { options, certDir }: Setting,
  { mode, backendPort, dir }: Pick<ProxyTask, 'mode' | 'backendPort' | 'dir'>,
  more: readonly string[] = [],
): Promise<Server> {
  const flags = ['--cert-dir', certDir, '--lru-cache-duration', '86400'];
  const backend = `${mode}://127.0.0.1:${backendPort}`;
  return startProgram({ ...options, workers: 1 }, [...flags, '--backend', backend, ...more], dir);
}
