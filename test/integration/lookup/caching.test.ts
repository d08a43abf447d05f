/**
 * Hits and misses are kept at both layers, each for its own time, which is fixed from the moment they were stored.
 *
 * What was asked outside is counted: look-ups in Redis with MONITOR, queries with the manager.
 */
import { expect } from 'chai';
import { startProgram } from '../../support/program.js';
import { openStage, prime2, watchRedis, type RedisWatch, type Stage } from '../../support/stage.js';
import { eventuallySees } from '../../support/eventually.js';
import { eventuallyServes, fingerprintOf, visit } from '../../support/visit.js';

/** Far beyond the short durations used here, and counted in visits, not in time slept. */
const MANY_LAPSES_MS = 700;

describe('Caching', () => {
  let stage: Stage;
  let watch: RedisWatch;
  before(async () => {
    stage = await openStage();
    watch = await watchRedis(stage.redis);
  });
  after(async () => {
    watch.stop();
    await stage.close();
  });

  const start = (lruSeconds: string, certSeconds: string, ...more: string[]) =>
    startProgram([
      ...[...stage.redisFlags(2), ...stage.managerFlags],
      ...['--lru-cache-duration', lruSeconds, '--cert-cache-duration', certSeconds, ...more],
    ]);
  /** Visits over and over for much longer than the short durations; returns the tiers that answered. */
  const visitForAWhile = async (program: { port: number }, name: string): Promise<Set<string>> => {
    const endMs = Date.now() + MANY_LAPSES_MS;
    const tiers = new Set<string>();
    while (Date.now() < endMs) tiers.add((await visit(program, name)).tier);
    return tiers;
  };

  it('a hit stays in the primary while the LRU lapses again and again', async () => {
    await prime2(stage.redis, 'hit-shared.test', await stage.ca.issue(['hit-shared.test']));
    await using program = await start('0.1', '600');
    await visit(program, 'hit-shared.test');
    expect(await visitForAWhile(program, 'hit-shared.test'))
      .to.include('cache')
      .and.not.include('redis');
    expect(await watch.lookups('hit-shared.test')).to.equal(1);
  });

  it('a hit stays in the LRU when it has lapsed in the primary', async () => {
    await prime2(stage.redis, 'hit-lru.test', await stage.ca.issue(['hit-lru.test']));
    await using program = await start('600', '0.1');
    await visit(program, 'hit-lru.test');
    expect(await visitForAWhile(program, 'hit-lru.test')).to.deep.equal(new Set(['lru']));
    expect(await watch.lookups('hit-lru.test')).to.equal(1);
  });

  it('a hit that has lapsed in both is looked up again: use does not prolong it', async () => {
    const old = await stage.ca.issue(['hit-lapsed.test']);
    const renewed = await stage.ca.issue(['hit-lapsed.test']);
    await prime2(stage.redis, 'hit-lapsed.test', old);
    await using program = await start('0.1', '0.3');
    expect((await visit(program, 'hit-lapsed.test')).fingerprint).to.equal(fingerprintOf(old));
    await prime2(stage.redis, 'hit-lapsed.test', renewed);
    await eventuallyServes(program, 'hit-lapsed.test', renewed);
  });

  it('a miss stays in the primary while the LRU lapses again and again', async () => {
    await using program = await start('0.1', '600');
    await visit(program, 'miss-shared.test');
    stage.manager.setCertificate('miss-shared.test', await stage.ca.issue(['miss-shared.test']));
    expect(await visitForAWhile(program, 'miss-shared.test')).to.deep.equal(new Set(['default']));
    expect(await watch.lookups('miss-shared.test')).to.equal(1);
    expect(stage.manager.requestsFor('GET', 'miss-shared.test')).to.have.length(1);
  });

  it('a miss stays in the LRU when it has lapsed in the primary', async () => {
    await using program = await start('600', '0.1');
    await visit(program, 'miss-lru.test');
    stage.manager.setCertificate('miss-lru.test', await stage.ca.issue(['miss-lru.test']));
    expect(await visitForAWhile(program, 'miss-lru.test')).to.deep.equal(new Set(['default']));
    expect(await watch.lookups('miss-lru.test')).to.equal(1);
    expect(stage.manager.requestsFor('GET', 'miss-lru.test')).to.have.length(1);
  });

  it('a miss that has lapsed in both is looked up again', async () => {
    const pair = await stage.ca.issue(['miss-lapsed.test']);
    await using program = await start('0.1', '0.3');
    expect((await visit(program, 'miss-lapsed.test')).tier).to.equal('default');
    stage.manager.setCertificate('miss-lapsed.test', pair);
    await eventuallyServes(program, 'miss-lapsed.test', pair);
  });

  it('the debugging set of the original works in its own spelling', async () => {
    const pair = await stage.ca.issue(['debug.test']);
    await prime2(stage.redis, 'debug.test', pair);
    await using program = await startProgram([
      ...stage.redisFlags(2),
      ...['--cert_cache_duration', '5', '--lru_cache_duration', '1', '--lru_maxitems', '100'],
    ]);
    const started = await program.logged('started');
    expect(started).to.include({
      level: 'notice',
      certCacheDuration: 5,
      lruCacheDuration: 1,
      lruMaxitems: 100,
    });
    const sees = (wanted: string) =>
      eventuallySees(
        wanted,
        () => visit(program, 'debug.test'),
        ({ tier }) => tier === wanted,
      );
    await sees('redis');
    await sees('lru');
    await sees('cache');
    // After five seconds it comes from Redis again.
    const before = await watch.lookups('debug.test');
    await eventuallySees(
      'the primary looks it up again',
      async () => {
        expect((await visit(program, 'debug.test')).fingerprint).to.equal(fingerprintOf(pair));
        return watch.lookups('debug.test');
      },
      (lookups) => lookups > before,
    );
    const found = program.log.filter(({ msg }) => msg === 'certificate found');
    const [first, second] = found.map(({ time }) => Date.parse(String(time)));
    expect((second ?? 0) - (first ?? 0)).to.be.at.least(4_500);
  });

  it('each worker has an LRU of its own, and the primary is asked by the second instead of Redis', async () => {
    const pair = await stage.ca.issue(['workers.test']);
    await prime2(stage.redis, 'workers.test', pair);
    await using program = await start('600', '600', '--workers', '2');
    const tiers: string[] = [];
    await eventuallySees(
      'both workers have had it',
      async () => tiers.push((await visit(program, 'workers.test')).tier),
      () => tiers.includes('cache'),
    );
    expect(tiers[0]).to.equal('redis');
    expect(tiers.filter((tier) => tier === 'redis' || tier === 'cache')).to.deep.equal(['redis', 'cache']);
    expect(await watch.lookups('workers.test')).to.equal(1);
  });
});
