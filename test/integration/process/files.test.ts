/**
 * Files that the program writes: the pid file, and the log with its rotation.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { makeTempDir } from '../../support/certificates.js';
import { request } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { spawnProgram, startProgram, type LogLine, type Program } from '../../support/program.js';
import { startWithConfig, writeConfig } from '../../support/process-stage.js';

async function linesOf(path: string): Promise<LogLine[]> {
  if (!existsSync(path)) return [];
  const text = await readFile(path, 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LogLine);
}

/** Waits until a file has a line of the primary and a handshake of a worker. */
async function isWritten(path: string, message: string, name: string): Promise<void> {
  await eventually(`${path} has "${message}" and the handshake of ${name}`, async () => {
    const lines = await linesOf(path);
    return (
      lines.some(({ msg, role }) => role === 'primary' && msg === message) &&
      lines.some((line) => line['role'] === 'worker' && line.msg === 'handshake' && line['name'] === name)
    );
  });
}

const visit = (program: Program, name: string): Promise<unknown> => request({ port: program.port, name });

describe('The pid file', () => {
  for (const signals of [['SIGTERM'], ['SIGINT', 'SIGINT']] as const) {
    it(`holds the process id of the primary and is gone after ${signals.join(' and ')}`, async () => {
      const { dir, remove } = await makeTempDir();
      const path = join(dir, 'proxy.pid');
      {
        await using program = await startProgram(['--pid-file', path]);
        expect(await readFile(path, 'utf8')).to.equal(`${program.pid}\n`);
        await program.reload();
        expect(existsSync(path)).to.equal(true);
        for (const signal of signals) program.kill(signal);
        await program.exited;
        expect(existsSync(path)).to.equal(false);
      }
      await remove();
    });
  }
});

describe('A pid file that two programs share', () => {
  it('is left to the second one when the first one ends, which the second one has said', async () => {
    const { dir, remove } = await makeTempDir();
    const path = join(dir, 'proxy.pid');
    try {
      await using first = await startProgram(['--pid-file', path]);
      await using second = await startProgram(['--pid-file', path]);
      const line = await second.logged(
        '--pid-file held the process id of another program of ours, which runs',
      );
      expect(line).to.include({ level: 'notice', path, of: first.pid });
      first.kill('SIGTERM');
      await first.exited;
      expect(await readFile(path, 'utf8')).to.equal(`${second.pid}\n`);
      second.kill('SIGTERM');
      await second.exited;
      expect(existsSync(path)).to.equal(false);
    } finally {
      await remove();
    }
  });
});

describe('A pid file on a full disk', () => {
  it('ends the start with 1, so that a service manager tries again', async () => {
    await using program = await spawnProgram(['--pid-file', '/dev/full']);
    expect((await program.exited).code).to.equal(1);
    expect(program.stderr).to.include('peter-sslers-proxy: --pid-file /dev/full: ENOSPC');
  });
});

describe('An access log on a full disk', () => {
  it('is said in the log, and so is how many lines it has lost when there is room again', async () => {
    const { dir, remove } = await makeTempDir();
    try {
      const path = join(dir, 'access.log');
      await symlink('/dev/full', path);
      await using program = await startProgram(['--access-log', path, '--workers', '1']);
      await visit(program, 'one.localhost');
      await visit(program, 'two.localhost');
      const line = await program.logged(
        'the access log cannot be written: lines wait, and are lost in the end',
      );
      expect(line).to.include({ level: 'err', role: 'worker', error: 'ENOSPC' });
      await rm(path);
      program.kill('SIGUSR1');
      await eventually('a new file is written', async () => {
        await visit(program, 'three.localhost');
        return existsSync(path) && (await readFile(path, 'utf8')) !== '';
      });
      const again = await program.logged('the access log is written again');
      expect(again['level']).to.equal('notice');
      expect(again['lost']).to.be.at.least(2);
    } finally {
      await remove();
    }
  });
});

describe('The log file', () => {
  let dir: string;
  let remove: () => Promise<void>;

  beforeEach(async () => {
    ({ dir, remove } = await makeTempDir());
  });

  afterEach(() => remove());

  it('is opened anew by SIGUSR1 after it was renamed, in the primary and in the workers', async () => {
    const path = join(dir, 'log');
    await using program = await startProgram(['--log-file', path, '--workers', '2']);
    await visit(program, 'before.localhost');
    await isWritten(path, 'started', 'before.localhost');
    expect(program.stderr).to.equal('');
    await rename(path, `${path}.1`);
    program.kill('SIGUSR1');
    await eventually('the new file is there', () => existsSync(path));
    program.kill('SIGHUP');
    // Which worker is asked is not for us to say: both are, after a while.
    const seen = new Set<unknown>();
    await eventually('both workers have written to it', async () => {
      await visit(program, 'after.localhost');
      for (const line of await linesOf(path)) if (line['role'] === 'worker') seen.add(line['worker']);
      return seen.size === 2;
    });
    await isWritten(path, 'reloaded', 'after.localhost');
    const old = await linesOf(`${path}.1`);
    expect(old.some(({ msg }) => msg === 'reloaded')).to.equal(false);
  });

  it('that cannot be opened anew is written on, and nothing stops', async () => {
    const folder = join(dir, 'folder');
    await mkdir(folder);
    await using program = await startProgram(['--log-file', join(folder, 'log')]);
    await rename(folder, join(dir, 'moved'));
    const moved = join(dir, 'moved', 'log');
    program.kill('SIGUSR1');
    await eventually('it is said', async () =>
      (await linesOf(moved)).some(
        ({ level, msg }) => level === 'err' && msg.startsWith('log file not reopened'),
      ),
    );
    await visit(program, 'after.localhost');
    await isWritten(moved, 'started', 'after.localhost');
  });

  it('and its format can be changed by a reload', async () => {
    const config = join(dir, 'proxy.json');
    await writeConfig(config, { workers: 1, 'log-level': 'debug', 'log-file': join(dir, 'one') });
    await using program = await startWithConfig(config, { cwd: dir });
    await visit(program, 'first.localhost');
    await isWritten(join(dir, 'one'), 'started', 'first.localhost');
    await writeConfig(config, { workers: 1, 'log-level': 'debug', 'log-file': join(dir, 'two') });
    program.kill('SIGHUP');
    await eventually('the new file is there', () => existsSync(join(dir, 'two')));
    await visit(program, 'second.localhost');
    await isWritten(join(dir, 'two'), 'reloaded', 'second.localhost');
    const one = await linesOf(join(dir, 'one'));
    expect(one.some(({ msg }) => msg === 'reloaded')).to.equal(false);
  });
});
