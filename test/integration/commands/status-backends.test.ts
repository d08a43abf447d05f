/**
 * What `status` says of backends, with the real program: which are in trouble, in how many workers, for how long and why; and that a
 * worker that stands still holds nothing up.
 */
import { expect } from 'chai';
import type { BackendsReport, BackendStatus } from '../../../lib/domain/backend-status.js';
import type { StatusReport } from '../../../lib/domain/status-report.js';
import { startBackend, type Backend } from '../../support/backend.js';
import { connectTls, request } from '../../support/client.js';
import { command } from '../../support/command.js';
import { eventually, eventuallySees } from '../../support/eventually.js';
import { startKillableBackend } from '../../support/killable-backend.js';
import { startProgram, type Program } from '../../support/program.js';
import { startTcpBackend } from '../../support/tcp-backend.js';
import { unusedPort } from '../../support/unused-port.js';
import { withOnlyWorker } from '../../support/workers.js';

/** With two backends every other request goes to each: the third failure of one of them is among these. */
const REQUESTS = 6;

/** One that closes no connection by itself while a slow machine works through a test. */
async function startKeepingBackend(): Promise<Backend> {
  const backend = await startBackend();
  backend.server.keepAliveTimeout = 60_000;
  return backend;
}

async function ask(program: Program, count: number, name = 'a.localhost'): Promise<void> {
  for (let i = 0; i < count; i++) await request({ port: program.port, name });
}

async function backendsOf(program: Program): Promise<BackendsReport> {
  const { stdout } = await command(program, ['status', '--json']);
  const { backends } = JSON.parse(stdout) as StatusReport;
  return backends ?? Promise.reject(new Error(`no backends in ${stdout}`));
}

async function backend(program: Program, url: string): Promise<BackendStatus> {
  const { backends } = await backendsOf(program);
  return backends.find(({ name }) => name === url) ?? Promise.reject(new Error(`${url} is not named`));
}

/** The lines of the text that begin with this label. */
async function linesOf(program: Program, label: string): Promise<string[]> {
  const { code, stdout, stderr } = await command(program, ['status']);
  expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
  return stdout
    .split('\n')
    .filter((line) => line.startsWith(`${label} `))
    .map((line) => line.slice(label.length).trim());
}

/** For a few seconds at most: then the program ends them, and starts others. */
async function whileStopped<T>(pids: readonly number[], act: () => Promise<T>): Promise<T> {
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  try {
    return await act();
  } finally {
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGCONT');
      } catch {
        // It was ended already.
      }
    }
  }
}

describe('status, of backends', () => {
  it('names one that was killed, in how many workers it is left out, since when and why; and no more once it works', async () => {
    await using steady = await startKeepingBackend();
    await using killed = await startKillableBackend();
    await using program = await startProgram([
      ...[
        '--workers',
        '2',
        '--backend',
        `a.localhost=${steady.url}`,
        '--backend',
        `a.localhost=${killed.url}`,
      ],
    ]);
    const [first = 0, second = 0] = await program.workerPids();
    for (const pid of [first, second]) await withOnlyWorker(program, pid, () => ask(program, 2));
    await killed.kill();
    await withOnlyWorker(program, first, () => ask(program, REQUESTS));
    const refused = `connect ECONNREFUSED ${killed.url.slice('http://'.length)}`;
    expect((await linesOf(program, 'backend'))[0]).to.match(
      new RegExp(
        `^${killed.url} \\(a\\.localhost\\): left out in 1 of 2 workers for [\\d.]+ m?s: .*${refused}$`,
      ),
    );
    await withOnlyWorker(program, second, () => ask(program, REQUESTS));
    const { trouble, ...rest } = await backend(program, killed.url);
    expect(rest).to.deep.equal({
      ...{ pattern: 'a.localhost', name: killed.url, state: 'left out' },
      ...{ busy: 0, idle: 0, workers: 2 },
    });
    expect(trouble?.workers).to.equal(2);
    expect(trouble?.lastError).to.include(refused);
    expect(trouble?.forMs)
      .to.be.within(1, 60_000)
      .and.at.least(trouble?.lastErrorAgoMs ?? Infinity);
    // Three in each worker, and one more for each time that a rest of a second ended before the requests did.
    const summary = /^1 of 2 up, with 0 busy and [1-9]\d* idle connections; failures: connect (\d+)$/;
    await eventuallySees(
      'the failures of both workers, which they tell now and then',
      async () => (await linesOf(program, 'backends'))[0] ?? '',
      (line) => {
        const failures = Number(summary.exec(line)?.[1]);
        return failures >= 6 && failures <= 2 * REQUESTS;
      },
    );
    await killed.start();
    await eventually('it works again in both workers', async () => {
      await ask(program, 4);
      return (await backend(program, killed.url)).state === 'up';
    });
    expect(await linesOf(program, 'backend')).to.deep.equal([]);
  });

  it('counts connections of tcp routes, and names those of them that fail', async () => {
    await using tcp = await startTcpBackend();
    const dead = `tcp://127.0.0.1:${await unusedPort()}`;
    await using program = await startProgram(['--workers', '2', '--backend', tcp.url, '--backend', dead]);
    let arrived = 0;
    for (const pid of await program.workerPids()) {
      await withOnlyWorker(program, pid, async () => {
        // The dead one has the fewest connections: all but the first come to it before, where none is still being tried.
        for (let i = 0; i < 4; i++) {
          await connectTls({ port: program.port, servername: 'any.localhost' });
          await tcp.connection(arrived++);
        }
      });
    }
    await eventually('all of them are counted', async () => (await backend(program, tcp.url)).busy === 8);
    const { backends } = await backendsOf(program);
    expect(backends).to.have.length(2);
    expect(backends[0]).to.deep.equal({ name: tcp.url, state: 'up', busy: 8, idle: 0, workers: 2 });
    expect(backends[1]).to.deep.include({ name: dead, state: 'left out', busy: 0, workers: 2 });
    expect((await linesOf(program, 'backend'))[0]).to.match(
      new RegExp(`^${dead} \\(every other name\\): left out in 2 of 2 workers for .*ECONNREFUSED`),
    );
  });

  it('says of a single backend that it fails, since it is never left out', async () => {
    const dead = `http://127.0.0.1:${await unusedPort()}`;
    await using program = await startProgram([
      ...['--workers', '1', '--backend-restart-wait', '0', '--backend', `a.localhost=${dead}`],
    ]);
    expect(await linesOf(program, 'backends')).to.deep.equal(['1 up, with 0 busy and 0 idle connections']);
    await ask(program, 4);
    expect((await linesOf(program, 'backend'))[0]).to.match(
      new RegExp(`^${dead} \\(a\\.localhost\\): failing in 1 of 1 worker for [\\d.]+ m?s: .*ECONNREFUSED`),
    );
  });

  it('is not held up by a worker that stands still, and says that what it knows is missing', async () => {
    await using steady = await startKeepingBackend();
    await using program = await startProgram(['--workers', '2', '--backend', steady.url]);
    const [first = 0] = await program.workerPids();
    const { tookMs } = await command(program, ['status']);
    const [stopped, report] = await whileStopped([first], async () => {
      await ask(program, 1);
      return Promise.all([command(program, ['status']), backendsOf(program)]);
    });
    expect(stopped.code).to.equal(0);
    // Two at once, of which each waits for half a second; far below the minute that the command would wait.
    expect(stopped.tookMs).to.be.below(2 * tookMs + 10_000);
    expect(stopped.stdout).to.match(
      new RegExp(
        `^backends +1 of 2 workers has not answered in time \\(process ${first}\\): what it knows of backends is missing$`,
        'm',
      ),
    );
    expect(report).to.deep.equal({
      ...{ workers: 2, silentWorkers: [first], count: 1, upCount: 1 },
      backends: [{ name: steady.url, state: 'up', busy: 0, idle: 1, workers: 1 }],
    });
  });

  it('says that nothing is known where no worker answers', async () => {
    await using program = await startProgram(['--workers', '2', '--backend', 'http://127.0.0.1:1']);
    const pids = await program.workerPids();
    const lines = await whileStopped(pids, () => linesOf(program, 'backends'));
    expect(lines[0]).to.equal('not known');
    expect(lines[1]).to.match(/^2 of 2 workers have not answered in time \(processes \d+, \d+\)/);
  });
});
