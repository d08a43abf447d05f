/**
 * `config`, with the real program: what counts, where it comes from, and what the program uses of it.
 */
import { expect } from 'chai';
import { join } from 'node:path';
import type { RunningConfig, RunningValue } from '../../../lib/admin/operations.js';
import { FLAG_NAMES } from '../../../lib/config/flags.js';
import { makeTempDir } from '../../support/certificates.js';
import { startWithConfig, writeConfig } from '../../support/process-stage.js';
import { runCommand } from '../../support/run-program.js';

const PASSWORD = 'p4ss-w0rd';

describe('config', () => {
  let dir: string;
  let remove: () => Promise<void>;
  let file: string;

  beforeEach(async () => {
    ({ dir, remove } = await makeTempDir());
    file = join(dir, 'c.yaml');
  });
  afterEach(() => remove());

  it('shows the value of every flag and where it comes from, and no password', async () => {
    await writeConfig(file, { workers: 1, 'redis-url': `redis://:${PASSWORD}@127.0.0.1:1` });
    const flags = ['--config', file, '--fallback-server', `http://u:${PASSWORD}@m.test/x`, '--wildcards'];
    const env = { PETER_SSLERS_REDIS_STRATEGY: '2' };
    const { code, stdout, stderr } = await runCommand(['config', '--json', ...flags], { cwd: dir, env });
    expect([code, stderr]).to.deep.equal([0, '']);
    expect(stdout).not.to.contain(PASSWORD);
    const { values } = JSON.parse(stdout) as { values: RunningValue[] };
    expect(values.map(({ flag }) => flag)).to.deep.equal([...FLAG_NAMES]);
    const of = (name: string): unknown[] => {
      const { values: texts, origin, place } = values.find(({ flag }) => flag === name)!;
      return [texts, origin, place];
    };
    expect(of('workers')).to.deep.equal([['1'], 'file', `${file}:2:3`]);
    expect(of('redis-url')).to.deep.equal([['redis://***@127.0.0.1:1'], 'file', `${file}:3:3`]);
    expect(of('fallback-server')).to.deep.equal([
      ['http://***@m.test/x'],
      'command line',
      '--fallback-server',
    ]);
    expect(of('wildcards')).to.deep.equal([['true'], 'command line', '--wildcards']);
    expect(of('redis-strategy')).to.deep.equal([['2'], 'environment', 'PETER_SSLERS_REDIS_STRATEGY']);
    expect(of('cert-cache-size')).to.deep.equal([['256 MiB'], 'default', '']);
    const text = await runCommand(['config', '--given', ...flags], { cwd: dir, env });
    expect(text.stdout.replaceAll(/ {2,}/g, '|').split('\n')).to.include(`workers|1|${file}:2:3`);
    expect(text.stdout.trimEnd().split('\n')).to.have.length(6);
  });

  it('fails as a start would where a setting is wrong', async () => {
    expect(await runCommand(['config', '--workers', 'many'], { cwd: dir })).to.include({
      code: 2,
      stdout: '',
    });
  });

  it('shows what the running program uses, and what needs a reload or a restart', async () => {
    await writeConfig(file, { workers: 1, 'lru-maxitems': 7 });
    await using program = await startWithConfig(file, { cwd: dir });
    const running = async (): Promise<string[]> => {
      const { stdout, stderr } = await runCommand(['config', '--running', '--given', '--json'], { cwd: dir });
      expect(stderr).to.equal('');
      const { values, pid } = JSON.parse(stdout) as RunningConfig;
      expect(pid).to.equal(program.pid);
      return values.map(({ flag, values: texts, differs }) =>
        `${flag} ${texts.join()} ${differs ?? ''}`.trim(),
      );
    };
    const given = (items: string): string[] => [
      ...['listen 127.0.0.1:0', `lru-maxitems ${items}`, 'workers 1', `config ${file}`, 'log-format json'],
    ];
    expect((await running()).sort()).to.deep.equal(given('7').sort());
    await writeConfig(file, { workers: 1, 'lru-maxitems': 8, 'pid-file': 'p.pid' });
    expect((await running()).sort()).to.deep.equal(
      [...given('7 needs reload'), 'pid-file none needs restart'].sort(),
    );
    await program.reload();
    expect((await running()).sort()).to.deep.equal([...given('8'), 'pid-file none needs restart'].sort());
    await writeConfig(file, { workers: 'many' });
    const { code, stdout } = await runCommand(['config', '--running'], { cwd: dir });
    expect(code).to.equal(0);
    expect(stdout).to.match(/\na reload would be refused: .*c\.yaml:2:3: workers must be a whole number/);
  });
});
