/**
 * Node's own sockets, without anything of a proxy, on the Node that this program runs on: what is left is what this program does itself.
 */
import { fileURLToPath } from 'node:url';
import type { Server } from '../servers.js';
import { startServer, type ProxyTask } from './peer.js';

const PROGRAM = fileURLToPath(new URL('./node-sockets.mjs', import.meta.url));

export function startNodeSockets({ pair, backendPort, dir, node }: ProxyTask): Promise<Server> {
  const { chainPath, keyPath } = pair;
  return startServer({
    command: node,
    dir,
    processes: 1,
    configFor: (port) => JSON.stringify({ port, chainPath, keyPath, backendPort }),
    flagsFor: (configPath) => [PROGRAM, configPath],
  });
}
