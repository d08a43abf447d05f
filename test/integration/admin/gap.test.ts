/**
 * The gap that stays on purpose: an expire does not reach the workers' own caches, unless `--expire-workers` asks for it.
 * Which worker answers is chosen by stopping the other one for a moment.
 */
import { expect } from 'chai';
import type { CertificatePair } from '../../../lib/domain/certificate.js';
import { admin, ADMIN_FLAGS, SERVER } from '../../support/admin.js';
import { openStage, prime2, type Stage } from '../../support/stage.js';
import { startProgram, type Program } from '../../support/program.js';
import { eventuallySees } from '../../support/eventually.js';
import { eventuallyServes, fingerprintOf, visit, type Visit } from '../../support/visit.js';
import { withOnlyWorker } from '../../support/workers.js';

describe('After an expire', () => {
  let stage: Stage;
  before(async () => {
    stage = await openStage();
  });
  after(() => stage.close());

  const flags = (...more: string[]): string[] => [...ADMIN_FLAGS, ...stage.redisFlags(2), ...more];

  /** Two certificates of a name, the first of which is in Redis. */
  const primed = async (name: string): Promise<[old: CertificatePair, renewed: CertificatePair]> => {
    const pairs: [CertificatePair, CertificatePair] = [
      await stage.ca.issue([name]),
      await stage.ca.issue([name]),
    ];
    await prime2(stage.redis, name, pairs[0]);
    return pairs;
  };
  const twoWorkers = async (program: Program): Promise<[number, number]> => {
    const [first, second] = await program.workerPids();
    if (first === undefined || second === undefined) throw new Error('there are not two workers');
    return [first, second];
  };
  const visitAt = (program: Program, pid: number, name: string): Promise<Visit> =>
    withOnlyWorker(program, pid, () => visit(program, name));

  it('a worker that has the old certificate serves on with it, one that has not serves the new one at once', async () => {
    const name = 'gap.test';
    const [old, renewed] = await primed(name);
    await using program = await startProgram(flags('--workers', '2', '--lru-cache-duration', '600'));
    const [holder, other] = await twoWorkers(program);
    expect(await visitAt(program, holder, name)).to.include({
      tier: 'redis',
      fingerprint: fingerprintOf(old),
    });
    await prime2(stage.redis, name, renewed);
    // Nobody knows of the change before the expire.
    expect(await admin(program, `/expire/domain/${name}`)).to.include({ status: 200 });
    for (let i = 0; i < 2; i++) {
      const seen = await visitAt(program, holder, name);
      expect(seen).to.include({ tier: 'lru', fingerprint: fingerprintOf(old) });
    }
    const fresh = await visitAt(program, other, name);
    expect(fresh).to.include({ tier: 'redis', fingerprint: fingerprintOf(renewed) });
    // And it is still so when the primary knows the new one.
    expect((await visitAt(program, holder, name)).fingerprint).to.equal(fingerprintOf(old));
  });

  it('a worker that has the old certificate serves the new one after its lru_cache_duration', async () => {
    const name = 'lapse.test';
    const [old, renewed] = await primed(name);
    await using program = await startProgram(flags('--lru-cache-duration', '1'));
    await visit(program, name);
    await prime2(stage.redis, name, renewed);
    // Without an expire the primary keeps the old one: the worker's lapse alone changes nothing.
    const lapsed = await eventuallySees(
      'the primary was asked',
      () => visit(program, name),
      ({ tier }) => tier !== 'lru',
    );
    expect(lapsed).to.include({ tier: 'cache', fingerprint: fingerprintOf(old) });
    await admin(program, `/expire/domain/${name}`);
    const seen = await eventuallyServes(program, name, renewed);
    expect(seen.tier).to.equal('redis');
  });

  it('a worker goes on with a miss for its lru_cache_duration, and not for longer', async () => {
    const name = 'missed.gap.test';
    await using program = await startProgram(flags('--lru-cache-duration', '2'));
    const missedAtMs = performance.now();
    expect((await visit(program, name)).tier).to.equal('default');
    const pair = await stage.ca.issue([name]);
    await prime2(stage.redis, name, pair);
    expect(await admin(program, `/expire/domain/${name}`)).to.include({ status: 200 });
    await eventuallyServes(program, name, pair);
    expect(performance.now() - missedAtMs).to.be.at.least(2_000);
  });

  describe('with --expire-workers', () => {
    it('every worker serves the new certificate at once, and the answer says how many were told', async () => {
      const name = 'told.test';
      const [old, renewed] = await primed(name);
      await using program = await startProgram(
        flags('--workers', '2', '--lru-cache-duration', '600', '--expire-workers', 'true'),
      );
      const workers = await twoWorkers(program);
      for (const pid of workers) {
        await visitAt(program, pid, name);
        expect(await visitAt(program, pid, name)).to.include({
          tier: 'lru',
          fingerprint: fingerprintOf(old),
        });
      }
      await prime2(stage.redis, name, renewed);
      const { json } = await admin(program, `/expire/domain/${name}`);
      expect(json).to.deep.equal({
        ...{ result: 'success', expired: 'domain', domain: name, ...SERVER },
        ...{ workers: 2, acknowledged: 2 },
      });
      for (const pid of workers) {
        expect((await visitAt(program, pid, name)).fingerprint).to.equal(fingerprintOf(renewed));
      }
      const all = await admin(program, '/expire/all');
      expect(all.json).to.include({ expired: 'all', workers: 2, acknowledged: 2 });
      for (const pid of workers) expect((await visitAt(program, pid, name)).tier).not.to.equal('lru');
    });

    it('every worker forgets a miss at once: of the name, and of the names below a wildcard', async () => {
      await using program = await startProgram(
        flags(
          ...['--workers', '2', '--lru-cache-duration', '600', '--expire-workers', 'true', '--wildcards'],
        ),
      );
      const workers = await twoWorkers(program);
      for (const [name, expired] of [
        ['missed.told.test', 'missed.told.test'],
        ['a.wild.told.test', '*.wild.told.test'],
      ] as const) {
        for (const pid of workers) {
          expect((await visitAt(program, pid, name)).tier).to.equal('default');
        }
        const pair = await stage.ca.issue([expired]);
        await prime2(stage.redis, expired, pair);
        const { json } = await admin(program, `/expire/domain/${expired}`);
        expect(json).to.include({ workers: 2, acknowledged: 2 });
        for (const pid of workers) {
          expect((await visitAt(program, pid, name)).fingerprint).to.equal(fingerprintOf(pair));
        }
      }
    });

    it('the answer names a worker that has not acknowledged, and does not wait for it', async () => {
      await using program = await startProgram(flags('--workers', '2', '--expire-workers', 'true'));
      const [awake, stuck] = await twoWorkers(program);
      await withOnlyWorker(program, awake, async () => {
        const { status, json } = await admin(program, '/expire/domain/stuck.test');
        expect(status).to.equal(200);
        expect(json).to.include({ result: 'success', workers: 2, acknowledged: 1 });
      });
      await program.logged('worker did not acknowledge expire', { workerPid: stuck });
    });
  });
});

describe('The cache of the primary', () => {
  let stage: Stage;
  before(async () => {
    stage = await openStage();
  });
  after(() => stage.close());

  it('stays as it is over a SIGHUP and is empty after a restart', async () => {
    const name = 'kept.test';
    const [old, renewed] = [await stage.ca.issue([name]), await stage.ca.issue([name])];
    await prime2(stage.redis, name, old);
    const flags = [...ADMIN_FLAGS, ...stage.redisFlags(2), '--lru-cache-duration', '600'];
    const keys = async (program: Program): Promise<unknown> =>
      (await admin(program, '/status')).json?.['keys'];
    const known = { valid: [name], invalid: ['missed.test'], autocert: [] };
    {
      await using program = await startProgram(flags);
      await visit(program, name);
      await visit(program, 'missed.test');
      await prime2(stage.redis, name, renewed);
      expect(await keys(program)).to.deep.equal(known);
      await program.reload();
      // The worker has forgotten it, and so asks.
      expect(await visit(program, name)).to.include({ tier: 'cache', fingerprint: fingerprintOf(old) });
      expect(await keys(program)).to.deep.equal(known);
    }
    await using program = await startProgram(flags);
    expect(await keys(program)).to.deep.equal({ valid: [], invalid: [], autocert: [] });
    expect(await visit(program, name)).to.include({ tier: 'redis', fingerprint: fingerprintOf(renewed) });
  });
});
