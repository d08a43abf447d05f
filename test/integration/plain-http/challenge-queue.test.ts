/**
 * Challenges of many clients at once, with the real program: how many reach the manager, and who waits.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import { startBackend, type Backend } from '../../support/backend.js';
import { eventually } from '../../support/eventually.js';
import { askPlain, plainPort } from '../../support/plain-client.js';
import { startProgram } from '../../support/program.js';

const PATH = '/.well-known/acme-challenge/';
/** How long the manager takes for a challenge. */
const SLOW_MS = 200;
/** The manager's threads. */
const AT_ONCE = 4;

/** A manager that answers slowly, and notes how many challenges are open at once. */
class SlowManager implements AsyncDisposable {
  readonly backend: Backend;
  open = 0;
  mostOpen = 0;

  static async start(answer: (finish: () => void) => void): Promise<SlowManager> {
    const manager: SlowManager = new SlowManager(
      await startBackend((_, response) => {
        manager.open += 1;
        manager.mostOpen = Math.max(manager.mostOpen, manager.open);
        let isOpen = true;
        const leave = (): void => {
          if (isOpen) manager.open -= 1;
          isOpen = false;
        };
        response.once('close', leave);
        answer(() => {
          leave();
          response.end('the key');
        });
      }),
    );
    return manager;
  }

  private constructor(backend: Backend) {
    this.backend = backend;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.backend[Symbol.asyncDispose]();
  }
}

/** A challenge on a connection of its own, from an address of this machine. */
async function ask(port: number, token: string, localAddress: string): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(`GET ${PATH}${token} HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n`);
  return socket;
}

async function answerOf(socket: Socket): Promise<string> {
  let text = '';
  for await (const chunk of socket.setEncoding('latin1')) text += String(chunk);
  return text;
}

describe('Challenges of many clients at once', () => {
  const start = (manager: SlowManager, workers = 2) =>
    startProgram([
      ...['--http-listen', '127.0.0.1:0', '--workers', String(workers)],
      ...['--fallback-server', manager.backend.url],
    ]);

  it('are four at once at the manager from all workers, and a client with one does not wait for one with a hundred', async () => {
    await using manager = await SlowManager.start((finish) => setTimeout(finish, SLOW_MS));
    await using program = await start(manager);
    const port = plainPort(program);
    const flood = await Promise.all(
      Array.from({ length: 100 }, (_, i) => ask(port, `flood-${i}`, '127.0.0.2')),
    );
    const answers = flood.map(answerOf);
    await eventually('the flood has begun', () => manager.open >= AT_ONCE - 1);
    const before = manager.backend.requests.length;
    const askedAt = performance.now();
    const other = await answerOf(await ask(port, 'other', '127.0.0.3'));
    const tookMs = Math.round(performance.now() - askedAt);
    const ahead = manager.backend.requests.findIndex(({ url }) => url === `${PATH}other`) - before;
    const texts = await Promise.all(answers);
    const served = texts.filter((text) => text.startsWith('HTTP/1.1 200')).length;
    if (process.env['SHOW_FIGURES'] !== undefined) {
      console.log({ mostOpen: manager.mostOpen, otherMs: tookMs, ahead, served });
    }
    expect(other).to.match(/^HTTP\/1\.1 200/);
    expect(ahead).to.be.at.most(AT_ONCE);
    expect(manager.mostOpen).to.be.within(AT_ONCE - 1, AT_ONCE);
    // Who is above the bounds is told so, and when to come again.
    const refused = texts.filter((text) => !text.startsWith('HTTP/1.1 200'));
    expect(refused).not.to.deep.equal([]);
    for (const text of refused) expect(text).to.match(/^HTTP\/1\.1 503[\s\S]*\r\nretry-after: \d+\r\n/i);
  });

  it('are given up where they wait when their client goes, and those that a dead worker had at the manager do not count', async () => {
    await using manager = await SlowManager.start(() => undefined);
    await using program = await start(manager);
    const port = plainPort(program);
    const flood = await Promise.all(
      Array.from({ length: 20 }, (_, i) => ask(port, `flood-${i}`, '127.0.0.2')),
    );
    await eventually('the flood has begun', () => manager.open === AT_ONCE - 1);
    for (const socket of flood) socket.destroy();
    for (const pid of await program.workerPids()) process.kill(pid, 'SIGKILL');
    await program.logged('worker died', {}, 2);
    await eventually('the dead have left the manager', () => manager.open === 0);
    // It waits in the listening socket until a replacement accepts.
    expect((await askPlain(port, 'GET / HTTP/1.1', ['Host: a.test'])).status).to.equal(308);
    const addresses = ['127.0.0.4', '127.0.0.4', '127.0.0.4', '127.0.0.5'];
    const next = await Promise.all(addresses.map((address) => ask(port, 'next', address)));
    await eventually('all leases are out again', () => manager.open === AT_ONCE, 2_500);
    for (const socket of next) socket.destroy();
  });

  it('are answered 504 within ten seconds where the manager does not answer, and 503 where none before them ends', async () => {
    await using manager = await SlowManager.start(() => undefined);
    await using program = await start(manager);
    const port = plainPort(program);
    const startedAt = performance.now();
    const sockets = await Promise.all(Array.from({ length: 6 }, () => ask(port, 'hung', '127.0.0.2')));
    const texts = await Promise.all(sockets.map(answerOf));
    expect(performance.now() - startedAt).to.be.below(9_500);
    const statuses = texts.map((text) => text.slice(9, 12)).sort();
    expect(statuses).to.deep.equal(['503', '503', '503', '504', '504', '504']);
  });

  it('are one at a time in a worker whose primary stands still, and whoever comes meanwhile is told to come again', async () => {
    await using manager = await SlowManager.start((finish) => setTimeout(finish, SLOW_MS));
    await using program = await start(manager, 1);
    const port = plainPort(program);
    program.kill('SIGSTOP');
    try {
      const sockets = await Promise.all(Array.from({ length: 3 }, (_, i) => ask(port, `n${i}`, '127.0.0.2')));
      const texts = await Promise.all(sockets.map(answerOf));
      expect(texts.map((text) => text.slice(9, 12)).sort()).to.deep.equal(['200', '503', '503']);
      expect(manager.mostOpen).to.equal(1);
    } finally {
      program.kill('SIGCONT');
    }
    expect(await answerOf(await ask(port, 'after', '127.0.0.2'))).to.match(/^HTTP\/1\.1 200/);
  });
});
