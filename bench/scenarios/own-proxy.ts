/**
 * This program and others as proxies: the same certificate, the same backend.
 */
import type { ProxyTask } from '../peers/peer.js';
import { startProgram, type Server } from '../servers.js';
import type { Setting } from '../setting.js';

/** What each of them is told. */
export function proxyTask(setting: Setting, mode: ProxyTask['mode']): ProxyTask {
  const { chainPath, keyPath } = setting.ec;
  return { mode, chainPath, keyPath, backendPort: portOf(setting, mode), dir: setting.newStateDir() };
}

/** This program with one worker, since the peers have one. */
export function startOwnProxy(setting: Setting, mode: ProxyTask['mode']): Promise<Server> {
  const backend = `${mode}://127.0.0.1:${portOf(setting, mode)}`;
  const flags = ['--cert-dir', setting.certDir, '--lru-cache-duration', '86400', '--backend', backend];
  return startProgram({ ...setting.options, workers: 1 }, flags, setting.newStateDir());
}

function portOf({ backend }: Setting, mode: ProxyTask['mode']): number {
  return mode === 'tcp' ? backend.tcpPort : backend.httpPort;
}
