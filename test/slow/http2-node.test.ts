/**
 * The tests of HTTP/2 towards clients, and of TLS, once more, on Node's engine and its sockets: they are the same, so that both are.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

describe('HTTP/2 on the engine of Node', () => {
  it('passes the tests of HTTP/2', async function () {
    // They take half a minute by themselves.
    this.timeout(600_000);
    const { code, output } = await new Promise<{ code: number | string | null; output: string }>(
      (resolve) => {
        execFile(
          'npm',
          ['run', '--silent', 'test:http2-node'],
          { cwd: ROOT, maxBuffer: 1e8 },
          (error, stdout, stderr) => resolve({ code: error?.code ?? 0, output: stdout + stderr }),
        );
      },
    );
    const failures = output.slice(Math.max(0, output.lastIndexOf(' failing')));
    expect(code, failures).to.equal(0);
    // A pattern that finds nothing is a warning only.
    expect(output).not.to.contain('Cannot find any files');
    const [, passed, failed] = /(\d+) passed, (\d+) failed/.exec(output) ?? [];
    expect(failed).to.equal('0');
    expect(Number(passed)).to.be.above(3_800);
  });
});
