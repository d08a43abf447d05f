/**
 * Processes that are killed: a worker is replaced, and without the primary nothing is left.
 */
import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { startBackend } from '../../support/backend.js';
import { makeTestCa } from '../../support/certificates.js';
import { connectTls, handshake, request } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { startFakeManager } from '../../support/fake-manager.js';
import { startProgram, type Program } from '../../support/program.js';
import { isRunning, KeptConnection } from '../../support/process-stage.js';
import { unusedPort } from '../../support/unused-port.js';

/** From now on the process may have so many files open. */
function limitDescriptors(pid: number, most: number): void {
  execFileSync('prlimit', ['--pid', String(pid), `--nofile=${most}:`]);
}

/** Kills the worker, or one of them, and returns which. */
async function killWorker(program: Program): Promise<number> {
  let pid: number | undefined;
  await eventually('there is a worker', async () => {
    pid = (await program.workerPids()).find(isRunning);
    return pid !== undefined;
  });
  process.kill(pid ?? 0, 'SIGKILL');
  await program.logged('worker died', { workerPid: pid });
  return pid ?? 0;
}

describe('A worker that is killed', () => {
  it('is replaced by one that has what was asked for of late before it accepts', async () => {
    const ca = await makeTestCa();
    const manager = await startFakeManager();
    try {
      manager.setCertificate('a.test', await ca.issue(['a.test']));
      await using program = await startProgram(['--fallback-server', manager.root]);
      const first = await handshake({ port: program.port, servername: 'a.test' });
      const killed = await killWorker(program);
      const { body } = await request({ port: program.port, name: 'a.test' });
      expect(body).to.match(/^Answered by +lru$/m);
      expect(Number(/process (\d+)/.exec(body)?.[1])).not.to.equal(killed);
      const again = await handshake({ port: program.port, servername: 'a.test' });
      expect(again.certificate.serialNumber).to.equal(first.certificate.serialNumber);
      expect(manager.requestsFor('GET', 'a.test')).to.have.length(1);
    } finally {
      await manager.close();
    }
  });

  it('refuses no connection though it was the only one: they wait in the queue for its successor', async () => {
    await using program = await startProgram(['--handshake-timeout', '15']);
    const names: string[] = [];
    const client = async (name: string): Promise<void> => {
      names.push((await handshake({ port: program.port, servername: name })).names);
    };
    const killed = await killWorker(program);
    expect((await program.workerPids()).filter(isRunning)).to.deep.equal([]);
    await Promise.all(Array.from({ length: 20 }, (_, count) => client(`n${count}.localhost`)));
    expect(names).to.have.length(20);
    expect(await program.workerPids()).not.to.include(killed);
  });

  it('takes only its own connections with it', async () => {
    await using backend = await startBackend((_request, response) => response.end('hello'));
    await using program = await startProgram(['--backend', backend.url, '--workers', '2']);
    const sockets = await Promise.all(
      Array.from({ length: 12 }, () => connectTls({ port: program.port, servername: 'a.localhost' })),
    );
    const ends = sockets.map(async (socket) => {
      let text = '';
      socket.on('error', () => undefined).on('data', (chunk: Buffer) => (text += chunk.toString()));
      await new Promise((resolve) => socket.once('close', resolve));
      return text;
    });
    const [one = 0, other] = await program.workerPids();
    process.kill(one, 'SIGKILL');
    await program.logged('worker died', { workerPid: one });
    for (const socket of sockets) {
      socket.write('GET / HTTP/1.1\r\nHost: a.localhost\r\nConnection: close\r\n\r\n');
    }
    const texts = await Promise.all(ends);
    const answered = texts.filter((text) => text !== '');
    for (const text of answered) expect(text).to.match(/^HTTP\/1\.1 200 [^]*hello/);
    expect(answered).to.have.length(backend.requests.length);
    expect(await program.workerPids()).to.include(other);
    await handshake({ port: program.port, servername: 'a.localhost' });
  });

  it('again and again is held back longer each time, but for a second at most while there is no other', async () => {
    await using program = await startProgram([]);
    const delays: number[] = [];
    for (let count = 0; count < 6; count++) {
      const pid = await killWorker(program);
      delays.push(Number((await program.logged('worker died', { workerPid: pid }))['replacedInMs']));
    }
    // The first may have lived for long enough to be replaced at once.
    expect([
      [0, 200, 400, 800, 1000, 1000],
      [200, 400, 800, 1000, 1000, 1000],
    ]).to.deep.include(delays);
    await handshake({ port: program.port, servername: 'a.localhost' });
  });

  for (const workers of [1, 2]) {
    it(`is replaced once the system has a process again, which it had not (of ${workers})`, async () => {
      await using program = await startProgram(['--workers', String(workers)]);
      const descriptors = readdirSync(`/proc/${program.pid}/fd`).length;
      // The pipe to a worker needs one more than its predecessor's end has set free.
      limitDescriptors(program.pid, descriptors - 1);
      await killWorker(program);
      await program.logged('worker cannot be started');
      limitDescriptors(program.pid, 1_024);
      await eventually('there are all workers again', async () => {
        const running = (await program.workerPids()).filter(isRunning);
        return running.length === workers;
      });
      const { changed } = await program.reload();
      expect(changed).to.equal('nothing');
      await handshake({ port: program.port, servername: 'a.localhost' });
    });
  }

  it('by SIGTERM, SIGINT or SIGHUP is not killed: these are for the primary', async () => {
    await using program = await startProgram([]);
    const [pid = 0] = await program.workerPids();
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1'] as const)
      process.kill(pid, signal);
    const { body } = await request({ port: program.port, name: 'a.localhost' });
    expect(Number(/process (\d+)/.exec(body)?.[1])).to.equal(pid);
  });
});

describe('A primary that is killed', () => {
  for (const signal of ['SIGKILL', 'SIGUSR2'] as const) {
    it(`(${signal}) takes its workers with it, whatever they do, and leaves the port free`, async () => {
      await using backend = await startBackend((_request, response) => void response.write('for ever'));
      const port = await unusedPort();
      const listen = ['--listen', `127.0.0.1:${port}`];
      await using program = await startProgram([...listen, '--backend', backend.url, '--workers', '3']);
      const workers = await program.workerPids();
      using client = new KeptConnection(port);
      const { response } = await client.open();
      response.on('error', () => undefined);
      program.kill(signal);
      // Nobody handles SIGUSR2: the system's default ends the process.
      expect(await program.exited).to.deep.equal({ code: null, signal });
      await eventually('no worker runs', () => !workers.some(isRunning));
      await using next = await startProgram(listen);
      expect(next.port).to.equal(port);
      await handshake({ port, servername: 'a.localhost' });
    });
  }

  it('while a worker starts leaves none behind', async () => {
    await using program = await startProgram([]);
    await killWorker(program);
    let successor = 0;
    await eventually('its successor is started', async () => {
      [successor = 0] = (await program.workerPids()).filter(isRunning);
      return successor > 0;
    });
    program.kill('SIGKILL');
    await program.exited;
    await eventually('it has ended too', () => !isRunning(successor));
  });
});
