import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'chai';

const MOCHA = 'node_modules/mocha/bin/mocha.js';

interface Failure {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

describe('A test run whose set-up fails half-way', () => {
  it('ends by itself, fails, names what was left running and leaves nothing of it', async () => {
    // As a run in one process, also where this one is in several.
    const env = { ...process.env };
    delete env['MOCHA_WORKER_ID'];
    const run = promisify(execFile)(
      process.execPath,
      [MOCHA, '--no-parallel', 'test/fixtures/mocha/throwing-before.ts'],
      {
        timeout: 25_000,
        env,
      },
    );
    const failure = await run.then(
      () => undefined,
      (error: unknown) => error as Failure,
    );
    expect(failure?.code, 'it ended by itself').to.be.a('number').that.is.above(0);
    const { stdout = '', stderr = '' } = failure ?? {};
    expect(stdout).to.include('the third thing does not start');
    expect(stdout).to.match(/left behind: .*sleep 600/);
    expect(stdout).to.match(/left behind: .*a server on port \d+/);
    expect(stdout).to.include('0 passed');
    // The interval of the set-up, which nobody can stop from outside.
    expect(stderr).to.match(/the process is kept by: .*Timeout/);
    const pid = Number(/child (\d+)/.exec(stdout)?.[1]);
    expect(pid).to.be.above(0);
    expect(() => process.kill(pid, 0)).to.throw('ESRCH');
  });
});
