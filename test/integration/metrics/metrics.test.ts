/**
 * The metrics of the real program, over two workers: what they count, and that counts only grow.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { startBackend, type Backend } from '../../support/backend.js';
import { makeTempDir } from '../../support/certificates.js';
import { handshake, request } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { startFakeManager } from '../../support/fake-manager.js';
import { startMetered, type Metered } from '../../support/metered.js';
import { countsOf, promtoolProblems, type MetricsText } from '../../support/metrics-text.js';
import { prime2, openStage, type Stage } from '../../support/stage.js';
import { newSession, resume } from '../../support/tls-sessions.js';
import { unusedPort } from '../../support/unused-port.js';

const HANDSHAKES = 'peter_sslers_handshakes_total';
const REQUESTS = 'peter_sslers_requests_total';

/** Which counts have gone down, or away. */
function fallen(before: MetricsText, after: MetricsText): string[] {
  const now = countsOf(after);
  return [...countsOf(before)].filter(([key, value]) => (now.get(key) ?? -1) < value).map(([key]) => key);
}

describe('The metrics', () => {
  let stage: Stage;
  let backend: Backend;
  let files: Awaited<ReturnType<typeof makeTempDir>>;

  before(async () => {
    stage = await openStage();
    backend = await startBackend((_request, response) => response.end('hello'));
    files = await makeTempDir();
    await prime2(stage.redis, 'a.test', await stage.ca.issue(['a.test']));
    stage.manager.setCertificate('b.test', await stage.ca.issue(['b.test']));
  });

  after(async () => {
    await Promise.all([stage.close(), backend[Symbol.asyncDispose](), files.remove()]);
  });

  const start = (settings: Record<string, string | number | undefined> = {}): Promise<Metered> =>
    startMetered({
      workers: 2,
      'redis-strategy': 2,
      'redis-url': stage.redis.url,
      'fallback-server': stage.manager.root,
      backend: backend.url,
      ...settings,
    });

  /** Handshakes that are known, some with a request. */
  async function traffic({ port }: Metered): Promise<void> {
    for (let i = 0; i < 6; i += 1) await handshake({ port, servername: 'a.test' });
    await handshake({ port, servername: 'b.test' });
    for (let i = 0; i < 4; i += 1) await handshake({ port, servername: `none-${i}.test` });
    await handshake({ port, servername: 'a.test', maxVersion: 'TLSv1.2' });
    await request({ port, name: 'a.test' });
    await request({ port, name: 'a.test' });
  }

  const haveAll = (count: number) => (metrics: MetricsText) => metrics.sum(HANDSHAKES) === count;

  it('count known traffic, whichever worker has served it', async () => {
    await using metered = await start();
    await traffic(metered);
    // A request is counted when it is over: its handshake may have been told of before that.
    const metrics = await metered.until(
      'all is counted',
      (some) => haveAll(14)(some) && some.sum(REQUESTS) === 2,
    );
    const sum = metrics.sum;
    expect(sum(HANDSHAKES, { tier: 'default' })).to.equal(4);
    expect(sum(HANDSHAKES, { protocol: 'TLSv1.2' })).to.equal(1);
    expect(sum(HANDSHAKES, { resumed: 'yes' })).to.equal(0);
    expect(sum(HANDSHAKES, { key: 'ecdsa' })).to.equal(14);
    expect(sum('peter_sslers_defaults_served_total', { reason: 'absent' })).to.equal(4);
    expect(sum('peter_sslers_certificate_choice_seconds_count')).to.equal(14);
    // Redis is asked once for the whole machine, and for what it does not have.
    expect(sum('peter_sslers_source_lookup_seconds_count', { source: 'redis', outcome: 'found' })).to.equal(
      1,
    );
    expect(sum('peter_sslers_source_lookup_seconds_count', { source: 'redis', outcome: 'absent' })).to.equal(
      5,
    );
    expect(sum('peter_sslers_source_lookup_seconds_count', { source: 'manager', outcome: 'found' })).to.equal(
      1,
    );
    expect(sum('peter_sslers_source_up')).to.equal(2);
    expect(sum('peter_sslers_pem_cache_entries')).to.equal(2);
    expect(sum('peter_sslers_negative_entries')).to.equal(4);
    expect(sum('peter_sslers_lru_lookups_total')).to.equal(14);
    expect(sum(REQUESTS, { by: 'backend', code: '2xx', protocol: '1.1' })).to.equal(2);
    expect(sum('peter_sslers_request_seconds_count', { by: 'backend' })).to.equal(2);
    expect(sum('peter_sslers_connections_accepted_total')).to.equal(14);
    expect(sum('peter_sslers_workers', { state: 'accepting' })).to.equal(2);
    expect(sum('peter_sslers_certificate_not_after_seconds', { rank: '1' })).to.be.above(Date.now() / 1000);
    expect(sum('peter_sslers_bus_resolve_seconds_count')).to.be.at.least(6);
    expect(sum('peter_sslers_process_resident_memory_bytes', { process: 'worker-2' })).to.be.above(1e6);
    expect(promtoolProblems(await metered.text())).to.equal('');
  });

  it('tell a resumed session, and a handshake that has failed', async () => {
    await using metered = await start();
    const { port } = metered;
    const session = await newSession(port, 'TLSv1.3', 'a.test');
    expect((await resume(port, 'TLSv1.3', 'a.test', session)).reused).to.equal(true);
    await handshake({
      port,
      servername: 'a.test',
      ciphers: 'NULL-SHA256:@SECLEVEL=0',
      maxVersion: 'TLSv1.2',
    }).catch(() => undefined);
    await metered.until(
      'both are counted',
      ({ sum }) =>
        sum(HANDSHAKES, { resumed: 'yes' }) === 1 &&
        sum('peter_sslers_handshakes_failed_total', { reason: 'tls-error' }) === 1,
    );
  });

  it('only grow when a worker is killed, and its gauges go', async () => {
    await using metered = await start();
    const { program } = metered;
    await traffic(metered);
    const before = await metered.until('all is counted', haveAll(14));
    const [victim = 0] = await program.workerPids();
    process.kill(victim, 'SIGKILL');
    await program.logged('worker died', { workerPid: victim });
    const between = await metered.read();
    expect(fallen(before, between)).to.deep.equal([]);
    await metered.until(
      'there are two workers',
      ({ sum }) => sum('peter_sslers_workers', { state: 'accepting' }) === 2,
    );
    await traffic(metered);
    const after = await metered.until('all is counted', haveAll(28));
    expect(fallen(between, after)).to.deep.equal([]);
    expect(after.sum('peter_sslers_worker_restarts_total', { cause: 'died' })).to.equal(1);
    const processes = new Set(after.samples.flatMap(({ labels }) => labels['process'] ?? []));
    expect([...processes].sort()).to.deep.equal(['primary', 'worker-1', 'worker-2']);
  });

  it('only grow at a reload, also where it takes workers away, and at one that fails', async () => {
    const config = join(files.dir, 'config.yaml');
    await writeFile(config, 'workers: 3\n');
    await using metered = await start({ config, workers: undefined });
    await traffic(metered);
    const before = await metered.read();
    await writeFile(config, 'workers: 1\n');
    await metered.reload();
    const after = await metered.until('all is counted', haveAll(14));
    expect(fallen(before, after)).to.deep.equal([]);
    expect(after.sum('peter_sslers_reloads_total', { result: 'ok' })).to.equal(1);
    await writeFile(config, 'workers: none\n');
    await metered.reload();
    const failed = await metered.read();
    expect(failed.sum('peter_sslers_reloads_total', { result: 'failed' })).to.equal(1);
    expect(fallen(after, failed)).to.deep.equal([]);
  });

  it('tell who answers, and what fails, where a backend is gone', async () => {
    await using metered = await start({
      backend: `http://127.0.0.1:${await unusedPort()}`,
      'backend-restart-wait': 0.001,
    });
    const { status } = await request({ port: metered.port, name: 'a.test' });
    expect(status).to.equal(502);
    const { sum } = await metered.until('it is counted', ({ sum: of }) => of(REQUESTS) === 1);
    expect(sum(REQUESTS, { by: 'proxy', code: '5xx' })).to.equal(1);
    expect(sum('peter_sslers_backend_failures_total', { kind: 'connect' })).to.be.at.least(1);
  });

  it('tell of a source that is skipped, and of the stale certificates that are served meanwhile', async () => {
    const manager = await startFakeManager();
    manager.setCertificate('c.test', await stage.ca.issue(['c.test']));
    await using metered = await startMetered({
      workers: 2,
      'fallback-server': manager.root,
      'cert-cache-duration': 0.05,
      'error-cache-duration': 0.05,
      'lru-cache-duration': 0.05,
    });
    const { port } = metered;
    await handshake({ port, servername: 'c.test' });
    expect((await metered.read()).sum('peter_sslers_source_up', { source: 'manager' })).to.equal(1);
    await manager.close();
    await eventually('it is skipped, and the certificate serves on', async () => {
      await handshake({ port, servername: 'c.test' });
      const { sum } = await metered.read();
      return (
        sum('peter_sslers_source_up', { source: 'manager' }) === 0 &&
        sum('peter_sslers_stale_served_total', { cause: 'unavailable' }) > 0
      );
    });
    const { sum } = await metered.read();
    expect(
      sum('peter_sslers_source_lookup_seconds_count', { source: 'manager', outcome: 'unavailable' }),
    ).to.equal(3);
    expect(sum(HANDSHAKES, { tier: 'default' })).to.equal(0);
  });
});
