import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'chai';
import { processIo } from '../../../lib/cli/io.js';
import { eventuallySees } from '../../support/eventually.js';

describe('what the command line touches of the process', () => {
  const { isRunning } = processIo(new AbortController().signal);

  it('sees whether a process is there', async () => {
    expect(isRunning(process.pid)).to.equal(true);
    expect(isRunning(1)).to.equal(true);
    const child = spawn('true');
    await once(child, 'exit');
    expect(isRunning(child.pid ?? 0)).to.equal(false);
  });

  it('takes a process for ended that its parent has not waited for', async () => {
    // What the shell becomes waits for nobody.
    const parent = spawn('sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    try {
      const [line] = (await once(parent.stdout, 'data')) as [Buffer];
      await eventuallySees(
        'it has ended',
        () => isRunning(Number(String(line))),
        (running) => !running,
      );
      expect(() => process.kill(Number(String(line)), 0), 'it is there').not.to.throw();
    } finally {
      parent.kill();
      await once(parent, 'exit');
    }
  });
});
