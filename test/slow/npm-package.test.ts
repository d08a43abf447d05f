/**
 * The npm package as a user gets it: packed, installed globally in an empty directory, started, asked, stopped.
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { mkdir, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { makeTempDir } from '../support/certificates.js';
import { findProgram } from '../support/find-program.js';
import { assertFreshDist } from '../support/fresh-dist.js';
import { PackageRegistry } from '../support/package-registry.js';
import { startProgram } from '../support/program.js';

const execute = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MAX_PACKED_BYTES = 800_000;

/** Runs npm by itself, with no configuration of this machine's. */
async function npm(args: readonly string[], options: { cwd: string; path?: string }): Promise<string> {
  const program = realpathSync(findProgram('npm', 'npm'));
  const { stdout } = await execute(process.execPath, [program, ...args, '--no-update-notifier'], {
    cwd: options.cwd,
    env: { ...process.env, ...(options.path === undefined ? {} : { PATH: options.path }) },
  });
  return stdout;
}

describe('The npm package', () => {
  let dir: string;
  let remove: () => Promise<void>;
  let file: string;
  let names: string[];

  before(async () => {
    assertFreshDist();
    ({ dir, remove } = await makeTempDir());
    // Without scripts: they would build dist anew, which other tests are running.
    const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', dir];
    const [packed] = JSON.parse(await npm(pack, { cwd: ROOT })) as {
      filename: string;
      files: { path: string }[];
    }[];
    file = join(dir, packed!.filename);
    names = packed!.files.map(({ path }) => path);
  });
  after(() => remove());

  it('has the program, its unit for systemd and the pages, and nothing of the workshop', async () => {
    expect(names).to.include.members([
      'bin/peter-sslers-proxy',
      'dist/cli/main.js',
      'dist/index.js',
      'deploy/systemd/peter-sslers-proxy.service',
      'docs/install.md',
      'README.md',
      'LICENSE.txt',
    ]);
    const folders = new Set(names.map((name) => name.split('/').slice(0, -1)[0] ?? ''));
    expect([...folders].sort()).to.deep.equal(['', 'bin', 'deploy', 'dist', 'docs']);
    expect(
      names.filter((name) => name.startsWith('deploy/') && !name.startsWith('deploy/systemd/')),
    ).to.deep.equal([]);
    expect((await stat(file)).size).to.be.lessThan(MAX_PACKED_BYTES);
  });

  it('is installed where there is no compiler, with no script to run, and serves', async () => {
    await using registry = await PackageRegistry.start(ROOT);
    const prefix = join(dir, 'prefix');
    const path = join(dir, 'path');
    await mkdir(path);
    // Nothing else can be run: no compiler, no Python, no shell.
    await symlink(process.execPath, join(path, 'node'));
    const from = [
      '--registry',
      registry.url,
      '--cache',
      join(dir, 'cache'),
      '--userconfig',
      join(dir, 'npmrc'),
    ];
    await npm(['install', '--global', '--prefix', prefix, file, ...from, '--no-audit', '--no-fund'], {
      cwd: dir,
      path,
    });
    expect([...registry.asked]).to.include.members(['pino', 'undici', 'yargs']);

    const bin = join(prefix, 'bin', 'peter-sslers-proxy');
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    expect((await execute(bin, ['--version'], { cwd: dir })).stdout).to.equal(`${version}\n`);

    await using program = await startProgram(['--log-format', 'text'], { bin });
    // The line that it prints to try it with.
    const hint = program.stdout.split('\n').find((line) => line.startsWith('curl ')) ?? '';
    const page = await execute(findProgram('curl', 'curl'), ['--silent', ...hint.split(' ').slice(1)], {
      cwd: program.cwd,
    });
    expect(page.stdout).to.contain('hello.localhost');
    program.kill('SIGTERM');
    expect(await program.exited).to.deep.equal({ code: 0, signal: null });
    expect(existsSync(join(prefix, 'lib/node_modules/peter-sslers-proxy/node_modules/mocha'))).to.equal(
      false,
    );
  });
});
