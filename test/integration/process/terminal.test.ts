/**
 * Signals as a terminal and a shell send them: to the whole process group, at any moment.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'chai';
import { defer } from '../../../lib/base/deferred.js';
import { startBackend } from '../../support/backend.js';
import { makeTempDir } from '../../support/certificates.js';
import { handshake } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { spawnProgram, type Program } from '../../support/program.js';
import {
  BIN,
  groupIsEmpty,
  isRunning,
  KeptConnection,
  killGroup,
  spawnGroup,
  textOf,
} from '../../support/process-stage.js';

const CTRL_C = '\x03';

async function becomesReady(program: Program): Promise<Program> {
  await program.until('it is ready', ({ stdout }) => stdout.includes('"ready"'));
  return program;
}

describe('In a terminal', () => {
  it('Ctrl-C ends everything, quietly and with 0', async () => {
    const { dir, remove } = await makeTempDir();
    // `script` runs the command on a terminal of its own; what it reads is typed there.
    const command = `exec ${process.execPath} ${BIN} start --listen 127.0.0.1:0 --workers 2`;
    const terminal = spawn('script', ['-qec', command, '/dev/null'], {
      cwd: dir,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let output = '';
    const ready = defer<void>();
    terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (/^ready [^]*^curl [^]*\n/m.test(output)) ready.resolve();
    });
    const exited = once(terminal, 'close') as Promise<[number | null]>;
    try {
      await Promise.race([
        ready.promise,
        exited.then(() => Promise.reject(new Error(`it has ended: ${output}`))),
      ]);
      const pid = Number(/pid=(\d+)/.exec(output)?.[1]);
      const port = Number(/https:\/\/127\.0\.0\.1:(\d+)/.exec(output)?.[1]);
      await handshake({ port, servername: 'a.localhost' });
      expect(isRunning(pid)).to.equal(true);
      terminal.stdin.write(CTRL_C);
      const [code] = await exited;
      expect(code).to.equal(0);
      expect(groupIsEmpty(pid)).to.equal(true);
      expect(output).to.contain('stopped');
      expect(output).not.to.match(/ err |Error|^\s+at /m);
    } finally {
      terminal.kill('SIGKILL');
      await remove();
    }
  });

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGQUIT'] as const) {
    it(`a ${signal} to the whole group lets a response come to its end`, async () => {
      const goOn = defer<void>();
      await using backend = await startBackend((_request, response) => {
        response.write('first half, ');
        void goOn.promise.then(() => response.end('second half'));
      });
      await using program = await becomesReady(
        await spawnGroup(['--backend', backend.url, '--workers', '2']),
      );
      using client = new KeptConnection(program.port);
      const { response } = await client.open();
      killGroup(program, signal);
      await program.logged('stopping');
      goOn.resolve();
      expect(await textOf(response)).to.equal('first half, second half');
      expect(await program.exited).to.deep.equal({ code: 0, signal: null });
      expect(groupIsEmpty(program.pid)).to.equal(true);
      expect(program.log.filter(({ level }) => level === 'err')).to.deep.equal([]);
    });
  }

  it('SIGHUP and SIGUSR1 to the whole group end no worker', async () => {
    await using program = await becomesReady(await spawnGroup(['--workers', '2']));
    const workers = await program.workerPids();
    killGroup(program, 'SIGUSR1');
    killGroup(program, 'SIGHUP');
    await program.logged('reloaded');
    await handshake({ port: program.port, servername: 'a.localhost' });
    expect(await program.workerPids()).to.deep.equal(workers);
    expect(program.log.filter(({ level }) => level === 'err')).to.deep.equal([]);
  });

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGQUIT'] as const) {
    it(`a ${signal} to the whole group while the workers start leaves nothing behind and is no failure`, async () => {
      await using program = await spawnGroup(['--workers', '4']);
      await eventually('a worker has been started', async () => (await program.workerPids()).length > 0);
      killGroup(program, signal);
      expect(await program.exited).to.deep.equal({ code: 0, signal: null });
      await eventually('the group is empty', () => groupIsEmpty(program.pid));
      expect(program.stderr).not.to.match(/peter-sslers-proxy:|"level":"err"/);
    });
  }

  it('two signals while the workers start end it as well', async () => {
    await using program = await spawnGroup(['--workers', '4']);
    await eventually('a worker has been started', async () => (await program.workerPids()).length > 0);
    killGroup(program, 'SIGTERM');
    killGroup(program, 'SIGTERM');
    program.kill('SIGINT');
    expect((await program.exited).code).to.equal(0);
    await eventually('the group is empty', () => groupIsEmpty(program.pid));
  });

  it('a signal at the very beginning leaves nothing behind', async () => {
    await using program = await spawnGroup(['--workers', '2']);
    killGroup(program, 'SIGTERM');
    const { code, signal } = await program.exited;
    // Node itself was not loaded yet, or the program was: both are the end.
    expect(signal ?? code).to.be.oneOf(['SIGTERM', 0]);
    await eventually('the group is empty', () => groupIsEmpty(program.pid));
  });
});

describe('Without anybody who takes its standard output', () => {
  for (const [what, starter] of [
    ['a full disk', 'exec "$@" > /dev/full'],
    ['a reader that has gone', 'exec "$@" > >(exec true)'],
  ] as const) {
    it(`the program runs on: ${what}`, async () => {
      await using program = await spawnProgram([], { starter: ['bash', '-c', starter, 'bash'] });
      await program.logged('started');
      await program.reload();
      program.kill('SIGTERM');
      expect(await program.exited).to.deep.equal({ code: 0, signal: null });
      expect(program.log.map(({ msg }) => msg)).not.to.include('primary failed');
    });
  }
});
