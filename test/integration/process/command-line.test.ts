/**
 * The command line of the real program: help, version, and which of several places that set a flag counts.
 */
import { execFile } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { hasIpv6Loopback } from '../../../lib/base/loopback.js';
import { DEFAULTS, FLAG_NAMES } from '../../../lib/config/flags.js';
import { makeTempDir, makeTestCa, writePair } from '../../support/certificates.js';
import { handshake, request } from '../../support/client.js';
import { startProgram, type Program } from '../../support/program.js';
import { unusedPort } from '../../support/unused-port.js';
import { BIN } from '../../support/process-stage.js';

const execute = promisify(execFile);

describe('The command line', () => {
  let dir: string;
  let remove: () => Promise<void>;

  before(async () => {
    ({ dir, remove } = await makeTempDir());
  });

  after(() => remove());

  it('shows every flag with its default in --help', async () => {
    const { stdout, stderr } = await execute(process.execPath, [BIN, 'start', '--help'], { cwd: dir });
    expect(stderr).to.equal('');
    // The text is wrapped: how many spaces and line ends are where does not matter.
    const shown = stdout.split(/\n +--/).map((option) => option.replaceAll(/\s+/g, ' '));
    for (const name of FLAG_NAMES) {
      const [option] = shown.filter((text) => text.startsWith(`${name} `));
      expect(option, name).to.contain(`[default: ${DEFAULTS[name]}]`);
    }
  });

  it('shows the help with -h, and the version with -V', async () => {
    const shown = (flag: string) => execute(process.execPath, [BIN, flag], { cwd: dir });
    expect((await shown('-h')).stdout).to.match(/^peter-sslers-proxy COMMAND [\s\S]* --listen /);
    expect((await shown('-V')).stdout).to.equal('0.5.0\n');
  });

  it('shows the version', async () => {
    const { stdout, stderr } = await execute(process.execPath, [BIN, '--version'], { cwd: dir });
    expect({ stdout, stderr }).to.deep.equal({ stdout: '0.5.0\n', stderr: '' });
  });

  it('loads for a command what that needs: the proxy for `start` alone', async () => {
    const coverage = join(dir, 'loaded');
    const env = { ...process.env, NODE_V8_COVERAGE: coverage };
    const asked = execute(process.execPath, [BIN, 'status', '--control-socket', 'none'], { cwd: dir, env });
    const [{ reason }] = (await Promise.allSettled([asked])) as [{ reason?: { stderr: string } }];
    expect(reason?.stderr).to.contain('none');
    // What V8 covers is what was loaded.
    const [report = ''] = await readdir(coverage);
    const { result } = JSON.parse(await readFile(join(coverage, report), 'utf8')) as {
      result: { url: string }[];
    };
    const own = result.map(({ url }) => url).filter((url) => url.includes('/dist/'));
    const sources = await Promise.all(own.map((url) => readFile(new URL(url), 'utf8')));
    expect(sources.some((text) => text.includes('control-socket'))).to.equal(true);
    expect(own.filter((_, i) => sources[i]?.includes('node:cluster'))).to.deep.equal([]);
  });

  it('takes values as people write them', async () => {
    await using program = await startProgram(
      [
        '--cert-cache-duration',
        '1h30m',
        '--cert-cache-size',
        '64MB',
        '--log-level',
        'verbose',
        '--via',
        'no',
      ],
      { env: { PETER_SSLERS_LRU_CACHE_DURATION: '500ms' } },
    );
    expect(await started(program)).to.include({ certCacheDuration: 5400, lruCacheDuration: 0.5 });
  });

  it('listens on localhost at 127.0.0.1 and, where there is IPv6, at ::1', async () => {
    const port = await unusedPort();
    await using program = await startProgram(['--listen', `localhost:${port}`]);
    const { ready } = JSON.parse(program.stdout.split('\n')[0] ?? '') as { ready: string[] };
    const hosts = ready.map((url) => new URL(url).hostname);
    expect(hosts).to.deep.equal(hasIpv6Loopback() ? ['127.0.0.1', '[::1]'] : ['127.0.0.1']);
    for (const host of hosts) {
      const bare = host.replace(/^\[(.*)\]$/, '$1');
      expect((await handshake({ host: bare, port, servername: 'a.localhost' })).names).to.equal(
        'a.localhost',
      );
    }
  });

  it('listens on every address at a port alone', async () => {
    const port = await unusedPort();
    await using program = await startProgram(['--listen', String(port)]);
    expect(program.stdout).to.contain(hasIpv6Loopback() ? `[::]:${port}` : `0.0.0.0:${port}`);
    for (const host of hasIpv6Loopback() ? ['127.0.0.2', '::1'] : ['127.0.0.2']) {
      expect((await handshake({ host, port, servername: 'a.localhost' })).names).to.equal('a.localhost');
    }
  });

  /** What the start line says of the sizes and durations. */
  async function started(program: Program): Promise<Record<string, unknown>> {
    const { certCacheDuration, lruCacheDuration, lruMaxitems } = await program.logged('started');
    return { certCacheDuration, lruCacheDuration, lruMaxitems };
  }

  it('takes both spellings, as the debugging set of the original plugin has them', async () => {
    await using program = await startProgram([
      ...['--cert_cache_duration', '5', '--lru_cache_duration', '1', '--lru_maxitems', '100'],
    ]);
    expect(await started(program)).to.deep.equal({
      certCacheDuration: 5,
      lruCacheDuration: 1,
      lruMaxitems: 100,
    });
  });

  it('goes before the environment, that before the file, and that before the default', async () => {
    const config = join(dir, 'proxy.yaml');
    await writeFile(config, 'cert-cache-duration: 41\nlru_cache_duration: 42\nlru-maxitems: 43 # names\n');
    await using program = await startProgram(['--lru_maxitems', '23'], {
      env: {
        PETER_SSLERS_CONFIG: config,
        PETER_SSLERS_LRU_CACHE_DURATION: '32.5',
        PETER_SSLERS_LRU_MAXITEMS: '33',
      },
    });
    expect(await started(program)).to.deep.equal({
      certCacheDuration: 41,
      lruCacheDuration: 32.5,
      lruMaxitems: 23,
    });
  });

  it('warns of a variable that looks like ours and is none, and starts', async () => {
    await using program = await startProgram([], { env: { PETER_SSLERS_PORT: 'tcp://10.0.0.1:443' } });
    const warning = await program.logged(/^PETER_SSLERS_PORT /);
    expect(warning.level).to.equal('notice');
    expect(program.stderr).not.to.contain('10.0.0.1');
  });

  it('warns of a default certificate that has expired, and serves it', async () => {
    const ca = await makeTestCa();
    const expired = await ca.issue(['old.invalid'], { notAfter: Date.now() - 86_400_000 });
    const { chainPath, keyPath } = await writePair(join(dir, 'old'), expired);
    await using program = await startProgram(['--default-cert', chainPath, '--default-key', keyPath]);
    const warning = await program.logged(/fullchain\.pem/);
    expect(warning.level).to.equal('notice');
    expect(warning.msg).to.match(/^--default-cert \S+fullchain\.pem: .*expired/);
    expect((await handshake({ port: program.port })).names).to.equal('old.invalid');
  });

  it('listens on several addresses, each with a port of its own, and names them all', async () => {
    await using program = await startProgram(['--listen', '127.0.0.1:0', '--listen', '127.0.0.2:0']);
    const { ready } = JSON.parse(program.stdout.split('\n')[0] ?? '') as { ready: string[] };
    expect(ready.map((url) => new URL(url).hostname)).to.deep.equal(['127.0.0.1', '127.0.0.2']);
    const { names } = await handshake({
      host: '127.0.0.2',
      port: Number(new URL(ready[1] ?? '').port),
      servername: 'a.localhost',
    });
    expect(names).to.equal('a.localhost');
    expect((await request({ port: program.port, name: 'a.localhost' })).status).to.equal(200);
  });
});
