/**
 * The Debian package: built by the script, unpacked, and what is in it run.
 */
import { execFile } from 'node:child_process';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { makeTempDir } from '../support/certificates.js';
import { request } from '../support/client.js';
import { findProgram } from '../support/find-program.js';
import { startProgram } from '../support/program.js';

const execute = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const UNITS = 'usr/lib/systemd/system';

describe('The Debian package', () => {
  let dir: string;
  let remove: () => Promise<void>;
  let tree: string;
  let control: string;

  before(async function () {
    // It installs what the program needs, beside whatever else is running.
    this.timeout(300_000);
    findProgram('dpkg-deb', 'dpkg');
    ({ dir, remove } = await makeTempDir());
    tree = join(dir, 'tree');
    control = join(dir, 'control');
    const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    const file = join(dir, `peter-sslers-proxy_${version}-1_all.deb`);
    await execute(join(ROOT, 'deploy/debian/build.sh'), [dir]);
    await execute('dpkg-deb', ['--extract', file, tree]);
    await execute('dpkg-deb', ['--control', file, control]);
  });
  after(() => remove());

  it('depends on a Node that the program runs on, and keeps the configuration of an administrator', async () => {
    const fields = await readFile(join(control, 'control'), 'utf8');
    const { engines } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
      engines: { node: string };
    };
    expect(fields).to.contain(`nodejs (>= ${engines.node.replace('>=', '')})`);
    expect((await readFile(join(control, 'conffiles'), 'utf8')).trim().split('\n')).to.deep.equal([
      '/etc/peter-sslers-proxy/config.yaml',
      '/etc/logrotate.d/peter-sslers-proxy',
    ]);
    expect((await stat(join(tree, 'etc/peter-sslers-proxy/config.yaml'))).mode & 0o777).to.equal(0o640);
  });

  it('has scripts that a shell can read', async () => {
    for (const script of ['postinst', 'prerm', 'postrm']) await execute('sh', ['-n', join(control, script)]);
  });

  it('has what its list of sums says', async () => {
    await execute('md5sum', ['--check', '--quiet', join(control, 'md5sums')], { cwd: tree });
  });

  it('has the pages that its README leads to', async () => {
    const doc = join(tree, 'usr/share/doc/peter-sslers-proxy');
    const readme = await readFile(join(doc, 'README.md'), 'utf8');
    const paths = [...readme.matchAll(/\]\((docs\/[^)#]+)/g)].map(([, path = '']) => path);
    expect(paths).to.include.members([
      'docs/README.md',
      'docs/getting-started.md',
      'docs/dashboard-light.png',
    ]);
    for (const path of paths) expect((await stat(join(doc, path))).size, path).to.be.above(0);
  });

  it('has units that systemd takes', async () => {
    const analyze = findProgram('systemd-analyze', 'systemd');
    const unit = join(dir, 'peter-sslers-proxy.service');
    const text = await readFile(join(tree, UNITS, 'peter-sslers-proxy.service'), 'utf8');
    // The command has to be there.
    await writeFile(unit, text.replace('ExecStart=/', `ExecStart=${tree}/`));
    const sockets = ['peter-sslers-proxy.socket', 'peter-sslers-proxy-http.socket'];
    for (const socket of sockets)
      await writeFile(join(dir, socket), await readFile(join(tree, UNITS, socket)));
    const files = [unit, ...sockets.map((socket) => join(dir, socket))];
    const { stderr } = await execute(analyze, ['verify', '--man=no', ...files]);
    // It says what it ignores, and is content.
    expect(stderr.split('\n').filter((line) => line.includes('peter-sslers-proxy'))).to.deep.equal([]);
  });

  it('runs with the configuration that it installs', async () => {
    const config = join(tree, 'etc/peter-sslers-proxy/config.yaml');
    const own = ['--listen', '127.0.0.1:0', '--log-format', 'json', '--state-dir', join(dir, 'state')];
    await using program = await startProgram(['--config', config, ...own], {
      bare: true,
      bin: join(tree, 'usr/bin/peter-sslers-proxy'),
    });
    expect((await request({ port: program.port, name: 'hello.localhost' })).status).to.equal(200);
    expect(program.log.filter(({ level }) => level === 'err')).to.deep.equal([]);
    program.kill('SIGTERM');
    expect(await program.exited).to.deep.equal({ code: 0, signal: null });
  });
});
