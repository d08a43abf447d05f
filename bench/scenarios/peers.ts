/**
 * This program against other proxies: the same certificate, the same backend, the same load.
 */
import { startNginxBackend } from '../backends/nginx-backend.js';
import type { Comparison } from '../comparison.js';
import { measureAll, type Extent } from '../measure.js';
import type { ProxyTask } from '../peers/peer.js';
import { PEERS } from '../peers/peers.js';
import type { Server } from '../servers.js';
import type { Setting } from '../setting.js';
import { HANDSHAKES, HTTP2, PROXYING, type Operation } from './operations.js';
import { startOwnProxy } from './own-proxy.js';
import { proxyContender } from './proxy-contender.js';

const OWN = 'this program';

export function handshakes(setting: Setting): Promise<Comparison[]> {
  return compareAll(setting, HANDSHAKES);
}

export function proxying(setting: Setting): Promise<Comparison[]> {
  return compareAll(setting, PROXYING);
}

export function http2(setting: Setting): Promise<Comparison[]> {
  return compareAll(setting, HTTP2);
}

async function compareAll(setting: Setting, operations: readonly Operation[]): Promise<Comparison[]> {
  await using backend = await startNginxBackend(setting.newStateDir());
  const comparisons: Comparison[] = [];
  for (const operation of operations) {
    process.stderr.write(`  ${operation.title} …\n`);
    comparisons.push(await compareProxies(setting, operation, backend.port));
  }
  return comparisons;
}

async function compareProxies(
  setting: Setting,
  operation: Operation,
  smallPort: number,
): Promise<Comparison> {
  const { load, options } = setting;
  const task = (): ProxyTask => proxyTask(setting, operation, smallPort);
  const { mode } = task();
  // Others have requests read: `Connection: close`, or HTTP/2.
  const isUnread = operation.kind === 'exchanges';
  const peers = PEERS.filter(({ modes, isFloor }) => modes.includes(mode) && (isUnread || isFloor !== true));
  // Anew for each operation: none is warmer than the others.
  const started = new Map<string, Server>();
  try {
    for (const { name, start } of peers) started.set(name, await start(task()));
    started.set(OWN, await startOwnProxy(setting, task()));
    const contenders = [...started].map(([name, server]) =>
      proxyContender(setting, operation, {
        title: name,
        server,
        isCompiled: peers.some((peer) => peer.name === name && peer.isFloor !== true),
      }),
    );
    const results = await measureAll(contenders, scaled(options, operation.factor));
    return { what: operation.title, own: results.pop()!, peers: results };
  } finally {
    // The load keeps connections, and a server that is told to stop would wait for them.
    await load.perform({ kind: 'forget' });
    for (const server of started.values()) await server[Symbol.asyncDispose]();
  }
}

function proxyTask(setting: Setting, operation: Operation, smallPort: number): ProxyTask {
  const isRsa = operation.kind === 'handshakes' && operation.key === 'rsa';
  const [pair, otherPair] = isRsa ? [setting.rsa, setting.ec] : [setting.ec, setting.rsa];
  const common = { pair, otherPair, dir: setting.newStateDir(), node: setting.options.node };
  const { httpPort, tcpPort } = setting.backend;
  if (operation.kind === 'exchanges' && operation.protocol === 'tcp')
    return { ...common, mode: 'tcp', backendPort: tcpPort };
  return { ...common, mode: 'http', backendPort: isSmall(operation) ? smallPort : httpPort };
}

function isSmall(operation: Operation): boolean {
  switch (operation.kind) {
    case 'handshakes':
      return true;
    case 'exchanges':
      return operation.isSmall === true;
    case 'streams':
      return operation.bytes === undefined;
  }
}

function scaled({ rounds, operations, warmUp }: Extent, factor: number): Extent {
  const scale = (count: number): number => Math.ceil(count * factor);
  return { rounds, operations: scale(operations), warmUp: scale(warmUp) };
}
