/**
 * The question by which a container engine finds out whether the program serves.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { startProgram } from '../../support/program.js';

const CHECK = fileURLToPath(new URL('../../../deploy/container/healthcheck.mjs', import.meta.url));

async function check(port: number): Promise<number> {
  const child = spawn(process.execPath, [CHECK], {
    env: { ...process.env, HEALTHCHECK_PORT: String(port) },
    stdio: 'ignore',
  });
  const [code] = (await once(child, 'exit')) as [number];
  return code;
}

describe("The container's health check", () => {
  it('is content while the program serves, and not when it is gone', async () => {
    await using program = await startProgram();
    const { port } = program;
    expect(await check(port)).to.equal(0);
    program.kill('SIGTERM');
    await program.exited;
    expect(await check(port)).to.equal(1);
  });

  it('is content with a program that wants a PROXY header of everybody', async () => {
    await using program = await startProgram(['--accept-proxy-protocol', '0.0.0.0/0']);
    expect(await check(program.port)).to.equal(0);
  });

  it('is not content where workers stand still', async () => {
    await using program = await startProgram();
    const [worker = 0] = await program.workerPids();
    // Its end is seen in time by the heartbeat; until then the handshake waits.
    process.kill(worker, 'SIGSTOP');
    process.kill(program.pid, 'SIGSTOP');
    try {
      expect(await check(program.port)).to.equal(1);
    } finally {
      program.kill('SIGCONT');
      process.kill(worker, 'SIGCONT');
    }
  });
});
