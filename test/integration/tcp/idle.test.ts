/**
 * A spliced or upgraded connection may be silent for `--tcp-idle-timeout`, however short the time-outs of requests are.
 */
import { expect } from 'chai';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { startBackend } from '../../support/backend.js';
import { eventually } from '../../support/eventually.js';
import { startFront, type Front } from '../../support/front.js';
import { RawClient } from '../../support/raw-client.js';
import { startTcpBackend } from '../../support/tcp-backend.js';

/** Above the interval in which Node's server looks for what is too slow. */
const IDLE_MS = 1_500;
/** Long enough for a loaded machine to make a request within it. */
const SHORT_MS = 500;
/** Timers may fire a little early by another clock. */
const TOLERANCE_MS = 50;
const LIMITS = {
  headerTimeoutMs: SHORT_MS,
  idleTimeoutMs: SHORT_MS,
  bodyTimeoutMs: SHORT_MS,
  backendConnectTimeoutMs: SHORT_MS,
  backendHeadersTimeoutMs: SHORT_MS,
  backendBodyTimeoutMs: SHORT_MS,
  tcpIdleTimeoutMs: IDLE_MS,
};

interface Stage extends AsyncDisposable {
  readonly front: Front;
  readonly client: RawClient;
  /** The backend's side of the connection. */
  readonly backend: Duplex;
}

async function tcpStage(): Promise<Stage> {
  const server = await startTcpBackend(({ socket }) => socket.write('hello'));
  const address = { host: '127.0.0.1', port: server.port };
  const front = await startFront({
    limits: LIMITS,
    settings: {
      routes: [{ backends: [{ kind: 'tcp', address }] }],
    },
  });
  const client = await RawClient.connect(front.port, 'a.test');
  await client.until('it is spliced', ({ received }) => received === 'hello');
  return stageOf(front, client, (await server.connection()).socket, server);
}

/** An upgrade on a connection that has been kept after another request. */
async function upgradeStage(): Promise<Stage> {
  const server = await startBackend((_, response) => response.end('first'));
  server.server.on('connection', (socket) => (socket.allowHalfOpen = true));
  const sockets: Duplex[] = [];
  server.server.on('upgrade', (_: IncomingMessage, socket: Duplex) => {
    sockets.push(socket.on('error', () => undefined).resume());
    socket.write('HTTP/1.1 101 Changed\r\nConnection: Upgrade\r\nUpgrade: own\r\n\r\nhello');
  });
  const front = await startFront({ backends: [server.url], limits: LIMITS });
  const client = await RawClient.connect(front.port, 'a.test');
  client.send('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
  await client.until('it is answered', ({ received }) => received.includes('first'));
  client.send('GET / HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: own\r\n\r\n');
  await client.until('it is upgraded', ({ received }) => received.endsWith('hello'));
  const [backend] = sockets;
  if (backend === undefined) throw new Error('nothing was upgraded');
  return stageOf(front, client, backend, server);
}

function stageOf(front: Front, client: RawClient, backend: Duplex, server: AsyncDisposable): Stage {
  client.socket.allowHalfOpen = true;
  return {
    ...{ front, client, backend },
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
      await front[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

type Side = 'client' | 'backend';

/** Whether the connection to one side has been closed, or at least ended. */
const isEnded: Readonly<Record<Side, (stage: Stage) => boolean>> = {
  client: ({ client }) => client.isClosed || client.socket.readableEnded,
  backend: ({ backend }) => backend.destroyed || backend.readableEnded,
};

const stages: [what: string, start: () => Promise<Stage>][] = [
  ['A spliced connection', tcpStage],
  ['An upgraded connection', upgradeStage],
];
/** What is done after a third of the time-out, and whose connections are still open then. */
const cases: [when: string, act: (stage: Stage) => void, open: Side[]][] = [
  ['on which its client has said something', ({ client }) => client.send('x'), ['client', 'backend']],
  ['on which its backend has said something', ({ backend }) => backend.write('x'), ['client', 'backend']],
  ['that its client has ended', ({ client }) => client.socket.end('x'), ['client']],
  ['that its backend has ended', ({ backend }) => backend.end('x'), ['backend']],
];
for (const [what, start] of stages) {
  describe(`${what}, where requests have short time-outs`, () => {
    const closesLate = async (stage: Stage, open: Side[]): Promise<void> => {
      const startMs = performance.now();
      for (const side of open) {
        await eventually(`the ${side} is closed`, () => isEnded[side](stage));
        expect(performance.now() - startMs).to.be.above(IDLE_MS - TOLERANCE_MS);
      }
    };

    it('on which nothing passes is closed after --tcp-idle-timeout, and not before', async () => {
      await using stage = await start();
      await closesLate(stage, ['client', 'backend']);
    });

    for (const [when, act, open] of cases) {
      it(`${when} is closed --tcp-idle-timeout after that`, async () => {
        await using stage = await start();
        await new Promise((resolve) => setTimeout(resolve, IDLE_MS / 3));
        act(stage);
        await closesLate(stage, open);
      });
    }
  });
}
