/**
 * Workers that stand still (here: stopped). They do not die by themselves, and must be found.
 */
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { makeTempDir } from '../../support/certificates.js';
import { handshake, request } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { startProgram, type Program } from '../../support/program.js';
import { isRunning, KeptConnection, startWithConfig, writeConfig } from '../../support/process-stage.js';
import { unusedPort } from '../../support/unused-port.js';

const REPLACED = 'worker stands still: it is ended and replaced';
const ENDED = 'worker stands still: it is ended';

/** Stops some of the workers; returns which. */
async function stopWorkers(program: Program, count: number): Promise<number[]> {
  const pids = (await program.workerPids()).slice(0, count);
  expect(pids).to.have.length(count);
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  return pids;
}

/** The records in the state directory of a program. */
function records(cwd: string): string[] {
  const dir = join(cwd, '.peter-sslers');
  return existsSync(dir) ? readdirSync(dir).filter((file) => file.startsWith('workers-')) : [];
}

describe('A worker that stands still', () => {
  it('is found, said to be silent, and replaced; the others are left alone', async () => {
    await using program = await startProgram(['--workers', '3']);
    const [, ...others] = await program.workerPids();
    const [hung = 0] = await stopWorkers(program, 1);
    const line = await program.logged(REPLACED, { workerPid: hung });
    expect(line).to.include({ level: 'err', role: 'primary' });
    expect(line['silentForMs']).to.be.within(3_000, 10_000);
    await program.logged('worker died', { workerPid: hung, how: 'SIGKILL' });
    await eventually('there are three again', async () => (await program.workerPids()).length === 3);
    expect(await program.workerPids()).to.include.members(others);
    expect(await program.workerPids()).not.to.include(hung);
    expect(program.log.filter(({ msg }) => msg === REPLACED)).to.have.length(1);
  });

  it('holds a client up for no longer than that, though all of them stand still at once', async () => {
    await using program = await startProgram(['--workers', '2', '--handshake-timeout', '30']);
    const hung = await stopWorkers(program, 2);
    const { body } = await request({ port: program.port, name: 'a.localhost' });
    expect(hung.map(String)).not.to.include(/process (\d+)/.exec(body)?.[1]);
    for (const workerPid of hung) await program.logged(REPLACED, { workerPid });
  });

  it('is found while the program stops, long before the drain time-out', async () => {
    await using program = await startProgram(['--workers', '2', '--drain-timeout', '600']);
    const [hung = 0, other = 0] = await program.workerPids();
    process.kill(hung, 'SIGSTOP');
    program.kill('SIGTERM');
    expect(await program.exited).to.deep.equal({ code: 0, signal: null });
    await program.logged(ENDED, { workerPid: hung });
    expect([hung, other].filter(isRunning)).to.deep.equal([]);
    expect(records(program.cwd)).to.deep.equal([]);
  });

  it('is ended when the drain time-out is over, where that comes first', async () => {
    await using program = await startProgram(['--drain-timeout', '0.1']);
    const [hung = 0] = await stopWorkers(program, 1);
    program.kill('SIGTERM');
    expect(await program.exited).to.deep.equal({ code: 0, signal: null });
    expect(isRunning(hung)).to.equal(false);
    expect(program.log.filter(({ msg }) => msg === ENDED)).to.deep.equal([]);
  });

  it('is ended and not replaced when a reload has taken it away before', async () => {
    const { dir, remove } = await makeTempDir();
    const config = join(dir, 'proxy.json');
    await writeConfig(config, { workers: 2 });
    await using program = await startWithConfig(config, { cwd: dir });
    const clients: KeptConnection[] = [];
    try {
      // Which worker a connection goes to is not for us to say.
      const busy = new Set<string | undefined>();
      await eventually('each worker has a connection', async () => {
        const client = new KeptConnection(program.port);
        clients.push(client);
        busy.add(/process (\d+)/.exec((await client.get()).body)?.[1]);
        return busy.size === 2;
      });
      const [stays = 0, goes = 0] = await program.workerPids();
      await writeConfig(config, { workers: 1 });
      await program.reload();
      // Its idle connections may ask once more for a while, so it is there still.
      process.kill(goes, 'SIGSTOP');
      await program.logged(ENDED, { workerPid: goes });
      await eventually('it is gone', async () => !(await program.workerPids()).includes(goes));
      expect(await program.workerPids()).to.deep.equal([stays]);
    } finally {
      for (const client of clients) client[Symbol.dispose]();
      await remove();
    }
  });

  it('when its primary is killed is ended by the next start, which has the port then', async () => {
    const { dir, remove } = await makeTempDir();
    try {
      let hung: number[];
      const port = await unusedPort();
      const listen = ['--listen', `127.0.0.1:${port}`];
      {
        await using program = await startProgram([...listen, '--workers', '3'], { cwd: dir });
        expect(records(dir)).to.have.length(1);
        hung = await stopWorkers(program, 2);
        program.kill('SIGKILL');
        await once(program.child, 'exit');
      }
      expect(hung.filter(isRunning)).to.deep.equal(hung);
      await using next = await startProgram(listen, { cwd: dir });
      expect(hung.filter(isRunning)).to.deep.equal([]);
      for (const workerPid of hung) {
        await next.logged('ended a worker that an earlier run has left behind', { workerPid });
      }
      await handshake({ port, servername: 'a.localhost' });
      expect(records(dir)).to.have.length(1);
    } finally {
      await remove();
    }
  });

  it("is not ended by another program's start in the same state directory", async () => {
    await using program = await startProgram(['--workers', '2']);
    const workers = await program.workerPids();
    {
      await using other = await startProgram([], { cwd: program.cwd });
      expect(records(program.cwd)).to.have.length(2);
      await handshake({ port: other.port, servername: 'a.localhost' });
    }
    expect(await program.workerPids()).to.deep.equal(workers);
    expect(records(program.cwd)).to.have.length(1);
  });
});
