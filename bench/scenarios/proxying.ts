/**
 * What passing things on costs, against nginx and HAProxy: on connections that are there already, so that no handshake is in it.
 */
import { performStreams } from '../h2load.js';
import { compare, CONCURRENCY, type Contender, type Extent } from '../measure.js';
import type { Amounts } from '../load/orders.js';
import { startHaproxy } from '../peers/haproxy.js';
import { startNginx } from '../peers/nginx.js';
import type { Row } from '../report.js';
import { ratioRow } from '../rows.js';
import type { Server } from '../servers.js';
import type { Setting } from '../setting.js';
import { bodyMemory } from './body-memory.js';
import { proxyTask, startOwnProxy } from './own-proxy.js';

const MIB = 1024 ** 2;
const SMALL_BYTES = 512;
const ECHO_BYTES = 64;
const STREAMS = 100;
/** What a small request may cost, against nginx. */
const WANTED_SMALL_RATIO = 2;
/** What TCP mode may cost, against either. */
const WANTED_TCP_RATIO = 1.2;

interface Kind extends Amounts {
  readonly title: string;
  /** Operations of this kind for each one that the options ask for: small things are too short to measure, large ones too long. */
  readonly factor: number;
  readonly wanted?: { readonly nginx?: number; readonly haproxy?: number };
  /** HTTP/2, so many streams of one connection at once. */
  readonly streams?: number;
}

const SMALL = { factor: 5 };
const BULK = { factor: 0.2 };
const HTTP = { protocol: 'http/1.1' } as const;
const TCP = { protocol: 'tcp', wanted: { nginx: WANTED_TCP_RATIO, haproxy: WANTED_TCP_RATIO } } as const;
const SMALL_WANTED = { wanted: { nginx: WANTED_SMALL_RATIO } };

const KINDS: readonly Omit<Kind, 'name'>[] = [
  {
    title: 'keep-alive, small answer',
    ...SMALL,
    ...HTTP,
    upBytes: 0,
    downBytes: SMALL_BYTES,
    ...SMALL_WANTED,
  },
  { title: '1 MiB download', ...BULK, ...HTTP, upBytes: 0, downBytes: MIB },
  { title: '1 MiB upload', ...BULK, ...HTTP, upBytes: MIB, downBytes: SMALL_BYTES },
  {
    ...{ title: `HTTP/2, ${STREAMS} streams, small answer`, streams: STREAMS },
    ...{ ...SMALL, ...HTTP, upBytes: 0, downBytes: SMALL_BYTES },
  },
  { title: 'TCP mode, 1 MiB to the client', ...BULK, ...TCP, upBytes: 0, downBytes: MIB },
  { title: 'TCP mode, 1 MiB from the client', ...BULK, ...TCP, upBytes: MIB, downBytes: ECHO_BYTES },
  { title: 'TCP mode, round trip of 64 bytes', ...SMALL, ...TCP, upBytes: ECHO_BYTES, downBytes: ECHO_BYTES },
];

export async function proxying(setting: Setting): Promise<Row[]> {
  const rows: Row[] = [];
  for (const kind of KINDS) {
    rows.push(...(await compareProxies(setting, { ...kind, name: setting.ec.name })));
  }
  return [...rows, ...(await bodyMemory(setting))];
}

async function compareProxies(setting: Setting, kind: Kind): Promise<Row[]> {
  const mode = kind.protocol === 'tcp' ? 'tcp' : 'http';
  // Anew for each kind: none is warmer than the others.
  await using nginxServer = await startNginx(proxyTask(setting, mode));
  await using haproxyServer = await startHaproxy(proxyTask(setting, mode));
  await using ownServer = await startOwnProxy(setting, mode);
  const contenders = [
    contender(setting, kind, 'nginx', nginxServer),
    contender(setting, kind, 'HAProxy', haproxyServer),
    contender(setting, kind, kind.title, ownServer),
  ];
  try {
    const [nginx, haproxy, own] = await compare(contenders, scaled(setting.options, kind.factor));
    return [ratioRow(nginx!, own!, kind.wanted?.nginx), ratioRow(haproxy!, own!, kind.wanted?.haproxy)];
  } finally {
    // The load keeps connections, and a server that is told to stop would wait for them.
    await setting.load.perform({ kind: 'forget' });
  }
}

function contender({ load }: Setting, kind: Kind, title: string, server: Server): Contender {
  const { protocol, name, upBytes, downBytes, streams } = kind;
  const { port } = server;
  const perform = async (operations: number): Promise<void> => {
    if (streams !== undefined) {
      await performStreams({ port, name, path: `/${downBytes}`, operations, streams });
      return;
    }
    const amounts = { protocol, name, upBytes, downBytes };
    await load.perform({ kind: 'exchanges', port, operations, concurrency: CONCURRENCY, ...amounts });
  };
  return { title, server, perform };
}

function scaled({ rounds, operations, warmUp }: Extent, factor: number): Extent {
  const scale = (count: number): number => Math.ceil(count * factor);
  return { rounds, operations: scale(operations), warmUp: scale(warmUp) };
}
