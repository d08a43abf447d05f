/**
 * What the program tells a service manager, over the socket that one would give it.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { makeTempDir } from '../../support/certificates.js';
import { eventually } from '../../support/eventually.js';
import { NotifyReceiver } from '../../support/notify-receiver.js';
import { isAccepting, startWithConfig, writeConfig } from '../../support/process-stage.js';
import { startProgram } from '../../support/program.js';

const ALIVE_EVERY = '400000';

describe('A service manager', () => {
  let dir: string;
  let remove: () => Promise<void>;
  beforeEach(async () => {
    ({ dir, remove } = await makeTempDir());
  });
  afterEach(() => remove());

  it('is told that the program is ready, that it reloads, and that it stops', async () => {
    using receiver = await NotifyReceiver.start(dir);
    await using program = await startProgram(['--workers', '2'], { env: { NOTIFY_SOCKET: receiver.path } });
    const [ready] = await receiver.untilStates(1);
    expect(await isAccepting(program.port)).to.equal(true);
    const serving = `Serving https://127.0.0.1:${program.port}`;
    expect(ready).to.deep.equal({ READY: '1', MAINPID: String(program.pid), STATUS: serving });

    const uptimeUs = async (): Promise<number> =>
      Number((await readFile('/proc/uptime', 'utf8')).split(' ')[0]) * 1_000_000;
    const beforeUs = await uptimeUs();
    await program.reload();
    const [, reloading, again] = await receiver.untilStates(3);
    expect(reloading).to.include({ RELOADING: '1' });
    // To a hundredth of a second the clock is the machine's uptime; it stands still where that does not, while the machine sleeps.
    expect(Number(reloading?.['MONOTONIC_USEC'])).to.be.within(
      beforeUs - 20_000,
      (await uptimeUs()) + 20_000,
    );
    expect(again).to.deep.equal({ READY: '1', STATUS: serving });

    program.kill('SIGTERM');
    const [, , , stopping] = await receiver.untilStates(4);
    expect(stopping).to.include({ STOPPING: '1', EXTEND_TIMEOUT_USEC: '40000000' });
    expect(await program.exited).to.deep.equal({ code: 0, signal: null });
    expect(receiver.signsOfLife).to.equal(0);
    expect(program.log.filter(({ msg }) => msg.includes('service manager'))).to.deep.equal([]);
  });

  it('is told that a refused reload has ended, too, and that it was refused', async () => {
    using receiver = await NotifyReceiver.start(dir);
    const config = join(dir, 'config.yaml');
    await writeConfig(config, { workers: 1 });
    await using program = await startWithConfig(config, { env: { NOTIFY_SOCKET: receiver.path } });
    await receiver.untilStates(1);
    await writeConfig(config, { workers: 'none' });
    program.kill('SIGHUP');
    const [, reloading, again] = await receiver.untilStates(3);
    expect([reloading?.['RELOADING'], again?.['READY']]).to.deep.equal(['1', '1']);
    const serving = `Serving https://127.0.0.1:${program.port}`;
    expect(again?.['STATUS']).to.equal(`${serving}; the last reload was refused: see the log`);
    await program.logged('not reloaded, everything stays as it was');
    await writeConfig(config, { workers: 1 });
    await program.reload();
    const [, , , , afterwards] = await receiver.untilStates(5);
    expect(afterwards?.['STATUS']).to.equal(serving);
  });

  it('has the whole path of the root in its journal, where nobody knows the working directory', async () => {
    using receiver = await NotifyReceiver.start(dir);
    await using program = await startProgram(['--state-dir', join(dir, 'state'), '--log-format', 'text'], {
      cwd: dir,
      env: { NOTIFY_SOCKET: receiver.path },
    });
    await program.until('the hint is there', ({ stdout }) => stdout.includes('curl'));
    expect(program.stdout).to.contain(`curl --cacert ${join(dir, 'state', 'ca', 'root.pem')} https://`);
  });

  it('hears of life while the primary lives, not while it stands still', async () => {
    using receiver = await NotifyReceiver.start(dir);
    await using program = await startProgram([], {
      env: { NOTIFY_SOCKET: receiver.path, WATCHDOG_USEC: ALIVE_EVERY },
    });
    await eventually('there are signs of life', () => receiver.signsOfLife >= 2);
    program.kill('SIGSTOP');
    // One that was under way may still come.
    await new Promise((resolve) => setTimeout(resolve, 300));
    const before = receiver.signsOfLife;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(receiver.signsOfLife).to.equal(before);
    program.kill('SIGCONT');
    await eventually('there are signs of life again', () => receiver.signsOfLife > before);
  });

  it('that cannot be told costs a line in the log, and nothing else', async () => {
    const socket = join(dir, 'nobody');
    await using program = await startProgram([], {
      env: { NOTIFY_SOCKET: socket, WATCHDOG_USEC: ALIVE_EVERY },
    });
    const { error, message } = await program.logged('the service manager cannot be told');
    expect(message).to.equal('READY=1');
    expect(error).to.match(/^systemd-notify: .*(?:No such file|Connection refused)/);
    await program.reload();
    program.kill('SIGTERM');
    expect(await program.exited).to.deep.equal({ code: 0, signal: null });
    expect(program.log.filter(({ msg }) => msg.includes('service manager'))).to.have.length(1);
  });

  it('is not missed where there is no systemd-notify', async () => {
    await using program = await startProgram([], { env: { NOTIFY_SOCKET: join(dir, 'nobody'), PATH: dir } });
    const { error } = await program.logged('the service manager cannot be told');
    expect(error).to.equal('there is no systemd-notify in PATH (it is part of systemd)');
  });
});
