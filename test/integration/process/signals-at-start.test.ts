/**
 * Signals that come before the program is ready: none is lost, and none is deadly that is not meant to be.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect } from 'chai';
import { handshake } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { spawnProgram, type Program } from '../../support/program.js';
import { groupIsEmpty, killGroup, spawnGroup } from '../../support/process-stage.js';

/**
 * Waits until a program handles SIGHUP, without leaving it time to do more. Of the signals that are of interest here Node itself
 * handles all but this one from the beginning.
 */
function untilHandled(program: Program): void {
  const endMs = Date.now() + 15_000;
  for (;;) {
    const status = readFileSync(`/proc/${program.pid}/status`, 'utf8');
    // SIGHUP is number 1, and so the lowest bit.
    if (/^SigCgt:\s*[\da-f]*[13579bdf]$/m.test(status)) return;
    if (Date.now() > endMs) throw new Error('SIGHUP is not handled');
  }
}

const isReady = ({ stdout }: Program): boolean => stdout.includes('"ready"');

describe('Before it is ready the program', () => {
  it('keeps a SIGHUP that comes at its very beginning, and reloads once as soon as it is ready', async () => {
    await using program = await spawnProgram([]);
    untilHandled(program);
    program.kill('SIGHUP');
    await program.logged('reloaded');
    expect(
      program.log.map(({ msg }) => msg).filter((msg) => /^(?:started|reloaded)$/.test(msg)),
    ).to.deep.equal(['started', 'reloaded']);
    await handshake({ port: program.port, servername: 'a.localhost' });
  });

  it('comes up under a storm of SIGHUP, and reloads', async () => {
    await using program = await spawnProgram([]);
    untilHandled(program);
    // One a millisecond. Without any pause between them V8's own locks, which measure the processor's frequency by a sleep that
    // each signal interrupts, can stand still on Node 26 for as long as the storm lasts.
    while (!isReady(program)) {
      program.kill('SIGHUP');
      await setTimeout(1);
    }
    await program.logged('reloaded');
    expect(program.log.filter(({ level }) => level === 'err')).to.deep.equal([]);
    await handshake({ port: program.port, servername: 'a.localhost' });
  });

  it('is not ended by SIGUSR1, does not open the debugger by it, and opens its log anew when it is ready', async () => {
    await using program = await spawnProgram(['--log-file', 'log']);
    untilHandled(program);
    program.kill('SIGUSR1');
    await program.until('it is ready', isReady);
    expect(program.stderr).to.equal('');
    expect(readFileSync(join(program.cwd, 'log'), 'utf8')).to.contain('"started"');
  });

  it('starts workers again that a SIGHUP to the whole group has ended before they could ignore it', async () => {
    await using program = await spawnGroup(['--workers', '2']);
    await eventually('a worker has been started', async () => (await program.workerPids()).length > 0);
    killGroup(program, 'SIGHUP');
    await program.until('it is ready', isReady);
    await program.logged('reloaded');
    expect(program.log.filter(({ level }) => level === 'err')).to.deep.equal([]);
    await handshake({ port: program.port, servername: 'a.localhost' });
  });

  it('is ended by SIGTERM though a worker that starts stands still, and leaves nothing behind', async () => {
    await using program = await spawnGroup(['--workers', '2']);
    let worker = 0;
    await eventually('a worker has been started', async () => {
      [worker = 0] = await program.workerPids();
      // Stopped before it runs its own program, it would hold the primary up within its fork.
      return worker > 0 && readFileSync(`/proc/${worker}/cmdline`, 'utf8').includes('worker/main.js');
    });
    process.kill(worker, 'SIGSTOP');
    program.kill('SIGTERM');
    expect(await program.exited).to.deep.equal({ code: 0, signal: null });
    await eventually('the group is empty', () => groupIsEmpty(program.pid));
    expect(program.stderr).not.to.match(/peter-sslers-proxy:|"level":"err"/);
  });
});
