/**
 * The scenarios of the OpenResty plugin's own test suite, one test each: where a certificate comes from.
 */
import { expect } from 'chai';
import { startProgram } from '../support/program.js';
import { openStage, prime1, prime2, watchRedis, type Stage } from '../support/stage.js';
import { eventuallySees } from '../support/eventually.js';
import { fingerprintOf, visit } from '../support/visit.js';

describe("The original's scenarios", () => {
  let stage: Stage;
  before(async () => (stage = await openStage()));
  after(() => stage.close());

  it('basic fallback: a name that no source knows gets the default certificate', async () => {
    await using program = await startProgram([...stage.redisFlags(1), ...stage.managerFlags]);
    const seen = await visit(program, 'nobody.test');
    expect(seen).to.include({ names: 'default.invalid', tier: 'default' });
  });

  it('LRU hit: the second handshake is answered by the worker itself', async () => {
    const pair = await stage.ca.issue(['lru.test']);
    await prime2(stage.redis, 'lru.test', pair);
    const watch = await watchRedis(stage.redis);
    await using program = await startProgram(stage.redisFlags(2));
    const first = await visit(program, 'lru.test');
    const second = await visit(program, 'lru.test');
    expect(first).to.deep.equal({ names: 'lru.test', fingerprint: fingerprintOf(pair), tier: 'redis' });
    expect(second).to.deep.equal({ ...first, tier: 'lru' });
    expect(await watch.lookups('lru.test')).to.equal(1);
    watch.stop();
  });

  it('shared-cache hit: once the LRU entry has lapsed the primary answers, and Redis is not asked again', async () => {
    const pair = await stage.ca.issue(['shared.test']);
    await prime2(stage.redis, 'shared.test', pair);
    const watch = await watchRedis(stage.redis);
    await using program = await startProgram([...stage.redisFlags(2), '--lru-cache-duration', '0.2']);
    expect((await visit(program, 'shared.test')).tier).to.equal('redis');
    const later = await eventuallySees(
      'the LRU entry lapses',
      () => visit(program, 'shared.test'),
      ({ tier }) => tier !== 'lru',
    );
    expect(later).to.include({ tier: 'cache', fingerprint: fingerprintOf(pair) });
    expect(await watch.lookups('shared.test')).to.equal(1);
    watch.stop();
  });

  it('prime 1: certificate, key and chain are put together from their ids, in two round trips', async () => {
    const pair = await stage.ca.issue(['one.test']);
    await prime1(stage.redis, 'one.test', pair, '71');
    const watch = await watchRedis(stage.redis);
    await using program = await startProgram(stage.redisFlags(1));
    expect(
      await visit(program, 'one.test', { ca: stage.ca.rootPem, rejectUnauthorized: true }),
    ).to.deep.equal({
      names: 'one.test',
      fingerprint: fingerprintOf(pair),
      tier: 'redis',
    });
    const asked = (await watch.commands()).filter((command) => /^h?m?get /i.test(command));
    expect(asked).to.deep.equal(['hmget d1:one.test c p i', 'get c:71', 'get p:71', 'get i:71']);
    watch.stop();
  });

  it('prime 2: the whole certificate comes in one round trip', async () => {
    const pair = await stage.ca.issue(['two.test'], { type: 'rsa' });
    await prime2(stage.redis, 'two.test', pair);
    const watch = await watchRedis(stage.redis);
    await using program = await startProgram(stage.redisFlags(2));
    expect(
      await visit(program, 'two.test', { ca: stage.ca.rootPem, rejectUnauthorized: true }),
    ).to.deep.equal({
      names: 'two.test',
      fingerprint: fingerprintOf(pair),
      tier: 'redis',
    });
    const asked = (await watch.commands()).filter((command) => /^h?m?get /i.test(command));
    expect(asked).to.deep.equal(['hmget d2:two.test f p']);
    watch.stop();
  });

  describe('API fallback', () => {
    it('takes the single certificate where there is only that', async () => {
      const pair = await stage.ca.issue(['single.test']);
      stage.manager.setCertificate('single.test', pair, { slot: 'single' });
      await using program = await startProgram([...stage.redisFlags(1), ...stage.managerFlags]);
      expect(await visit(program, 'single.test')).to.include({
        tier: 'manager',
        fingerprint: fingerprintOf(pair),
      });
      // The flag that makes the manager write it through to Redis.
      const [query] = stage.manager.requestsFor('GET', 'single.test');
      expect(query?.url).to.match(/\/domain\/single\.test\/config\.json\?openresty=1$/);
    });

    it('takes the multi certificate where there are both', async () => {
      const multi = await stage.ca.issue(['multi.test', 'other.test']);
      stage.manager.setCertificate('multi.test', multi, { slot: 'multi' });
      stage.manager.setCertificate('multi.test', await stage.ca.issue(['multi.test']), { slot: 'single' });
      await using program = await startProgram(stage.managerFlags);
      expect(await visit(program, 'multi.test')).to.include({
        tier: 'manager',
        fingerprint: fingerprintOf(multi),
      });
    });

    it('serves the default for a known name that has neither', async () => {
      stage.manager.setBare('bare.test');
      await using program = await startProgram(stage.managerFlags);
      expect((await visit(program, 'bare.test')).tier).to.equal('default');
      await program.logged('no certificate', { name: 'bare.test' });
    });

    it('serves the default when the host of the manager does not exist', async () => {
      await using program = await startProgram(['--fallback-server', 'http://manager.invalid/admin']);
      expect((await visit(program, 'single.test')).tier).to.equal('default');
      const { reason } = await program.logged('no source could tell', { name: 'single.test' });
      expect(reason).to.match(/^manager: its host name (is not known|cannot be resolved just now)/);
    });
  });

  describe('Redis', () => {
    it('with a bad port: the default is served, and the log says why', async () => {
      // Port 1 is the system's own; nothing that a test could start listens there.
      await using program = await startProgram([
        '--redis-strategy',
        '1',
        '--redis-url',
        'redis://127.0.0.1:1/9',
      ]);
      expect((await visit(program, 'one.test')).tier).to.equal('default');
      const { reason } = await program.logged('no source could tell', { name: 'one.test' });
      expect(reason).to.include('cannot reach Redis at redis://127.0.0.1:1/9: connect ECONNREFUSED');
    });

    it('with a bad host: the manager is asked all the same', async () => {
      const pair = await stage.ca.issue(['nevertheless.test']);
      stage.manager.setCertificate('nevertheless.test', pair);
      await using program = await startProgram([
        ...['--redis-strategy', '2', '--redis-url', 'redis://redis.invalid:6379'],
        ...stage.managerFlags,
      ]);
      const seen = await eventuallySees(
        'the manager answers',
        () => visit(program, 'nevertheless.test'),
        ({ tier }) => tier !== 'default',
      );
      expect(seen).to.include({ fingerprint: fingerprintOf(pair), tier: 'manager' });
      expect((await program.logged('redis is not available')).level).to.equal('err');
    });
  });
});
