/**
 * What a connection on HTTP/2 costs a worker while nothing happens on it: resident memory before and after many of them, each of which
 * has had a request.
 */
import { once } from 'node:events';
import { connect, type ClientHttp2Session } from 'node:http2';
import { inLanes } from '../load/lanes.js';
import { CONCURRENCY } from '../measure.js';
import { residentBytes } from '../processes.js';
import type { Row } from '../report.js';
import type { Setting } from '../setting.js';
import { startOwnProxy } from './own-proxy.js';

const WANTED_KIB = 60;
/** Opened before the first reading, until heap, code and allocator have found their size. They stay: what they leave would be used again. */
const WARM_UP = 1_000;
const CONNECTIONS = 2_000;
/** Until the worker has done away with what it needed for the handshakes. */
const SETTLE_MS = 3_000;
const SMALL_BYTES = 512;

export async function idleConnections(setting: Setting): Promise<Row[]> {
  const dir = setting.newStateDir();
  const backendPort = setting.backend.httpPort;
  await using server = await startOwnProxy(setting, { mode: 'http', backendPort, dir }, [
    '--max-connections-per-client',
    String(2 * CONNECTIONS),
  ]);
  const [, worker = 0] = server.pids;
  const open = (count: number): Promise<ClientHttp2Session[]> =>
    openAll(count, { port: server.port, servername: setting.ec.name });
  const settled = async (): Promise<number> => {
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    return residentBytes(worker);
  };
  const first = await open(WARM_UP);
  const before = await settled();
  const sessions = await open(CONNECTIONS);
  const after = await settled();
  await closeAll([...first, ...sessions]);
  const value = (after - before) / CONNECTIONS / 1024;
  return [
    {
      what: `memory of an idle HTTP/2 connection (${CONNECTIONS} of them)`,
      ours: `${value.toFixed(1)} KiB`,
      wanted: { text: `≤ ${WANTED_KIB} KiB`, value, atMost: WANTED_KIB },
    },
  ];
}

async function openAll(
  count: number,
  to: { readonly port: number; readonly servername: string },
): Promise<ClientHttp2Session[]> {
  const sessions: ClientHttp2Session[] = [];
  const { failures, firstFailure } = await inLanes(
    { operations: count, concurrency: CONCURRENCY },
    async () => {
      const session = connect(`https://127.0.0.1:${to.port}`, { ...to, rejectUnauthorized: false });
      sessions.push(session);
      const stream = session.request({ ':path': `/${SMALL_BYTES}`, ':authority': to.servername });
      stream.resume();
      await once(stream, 'end');
    },
  );
  if (failures > 0) throw new Error(`${failures} requests failed, the first one by ${firstFailure}`);
  return sessions;
}

async function closeAll(sessions: readonly ClientHttp2Session[]): Promise<void> {
  await Promise.all(
    sessions.map(async (session) => {
      const closed = once(session, 'close');
      session.close();
      await closed;
    }),
  );
}
