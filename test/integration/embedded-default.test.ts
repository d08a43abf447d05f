/**
 * `npm start`: nothing installed, nothing configured.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { handshake, request } from '../support/client.js';
import { startProgram } from '../support/program.js';

const run = promisify(execFile);

describe('The embedded default', () => {
  it('prints a ready line and a curl line that works when pasted', async () => {
    await using program = await startProgram(['--log-format', 'text', '--workers', '2']);
    await program.until('both lines are there', ({ stdout }) => stdout.split('\n').length > 2);
    const [ready, hint] = program.stdout.split('\n');
    expect(ready).to.equal(`ready https://127.0.0.1:${program.port} workers=2 pid=${program.pid}`);
    const { stdout } = await run('sh', ['-c', hint ?? ''], { cwd: program.cwd });
    expect(stdout).to.match(/Name asked for +hello\.localhost\n/);
    expect(stdout).to.match(/Answered by +ca\n/);
  });

  it('prints one line of JSON with --log-format json', async () => {
    await using program = await startProgram();
    const line = JSON.parse(program.stdout) as Record<string, unknown>;
    expect(line['ready']).to.deep.equal([`https://127.0.0.1:${program.port}`]);
    expect(line['pid']).to.equal(program.pid);
  });

  it('serves an information page for any *.localhost name, trusted through its root', async () => {
    await using program = await startProgram();
    const ca = await readFile(join(program.cwd, '.peter-sslers/ca/root.pem'), 'utf8');
    const { port } = program;
    const first = await request({ port, name: 'shop.localhost', ca });
    const second = await request({ port, name: 'shop.localhost', ca });
    expect(first.status).to.equal(200);
    expect(first.headers['content-type']).to.equal('text/plain; charset=utf-8');
    expect(first.body).to.match(/Answered by +ca\n/);
    expect(second.body).to.match(/Answered by +lru\n/);
    const { certificate } = await handshake({ port, servername: 'shop.localhost' });
    for (const fact of [
      certificate.subject,
      certificate.issuer,
      certificate.validTo,
      certificate.fingerprint256,
    ]) {
      expect(first.body).to.include(fact);
    }
    const [worker] = await program.workerPids();
    expect(first.body).to.include(`process ${worker}`);
    const html = await request({ port, name: 'shop.localhost', headers: { accept: 'text/html,*/*' } });
    expect(html.headers['content-type']).to.equal('text/html; charset=utf-8');
    expect(html.body).to.include('<td>shop.localhost</td>');
  });

  it('mints for no name outside of its allow-list', async () => {
    await using program = await startProgram();
    const { names } = await handshake({ port: program.port, servername: 'www.example.com' });
    expect(names).to.equal('default.invalid');
  });

  it('shows primary and workers by title', async () => {
    await using program = await startProgram(['--workers', '2']);
    const workers = await program.workerPids();
    expect(workers).to.have.length(2);
    const title = async (pid: number): Promise<string> =>
      (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ').trim();
    expect(await title(program.pid)).to.equal('peter-sslers-proxy: primary');
    for (const pid of workers) expect(await title(pid)).to.equal('peter-sslers-proxy: worker');
  });
});
