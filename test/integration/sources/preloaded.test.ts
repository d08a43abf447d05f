/**
 * The original's scenario of a preloaded shared cache, and sources of an embedder's own: through the library.
 */
import { expect } from 'chai';
import { startEmbedder } from '../../support/embedder.js';
import { openStage, prime2, watchRedis, type Stage } from '../../support/stage.js';
import { eventuallySees } from '../../support/eventually.js';
import { fingerprintOf, visit } from '../../support/visit.js';

describe('A program that embeds the library', () => {
  let stage: Stage;
  before(async () => (stage = await openStage()));
  after(() => stage.close());

  it('preloads the shared cache: the first handshake is answered from it, and no source is asked', async () => {
    const pair = await stage.ca.issue(['preloaded.test']);
    await prime2(stage.redis, 'preloaded.test', await stage.ca.issue(['preloaded.test']));
    const watch = await watchRedis(stage.redis);
    await using program = await startEmbedder(
      { 'redis-strategy': 2, 'redis-url': stage.redis.url, workers: 2 },
      `proxy.cache.set('Preloaded.Test.', [input.pair]);`,
      { pair },
    );
    const wanted = { names: 'preloaded.test', fingerprint: fingerprintOf(pair) };
    expect(await visit(program, 'preloaded.test')).to.deep.equal({ ...wanted, tier: 'cache' });
    await eventuallySees(
      'the LRU has it too',
      () => visit(program, 'preloaded.test'),
      ({ tier }) => tier === 'lru',
    );
    expect(await watch.lookups('preloaded.test')).to.equal(0);
    watch.stop();
  });

  it('refuses to preload a certificate that is for another name', async () => {
    const pair = await stage.ca.issue(['other.test']);
    await using program = await startEmbedder(
      {},
      `try { proxy.cache.set('a.test', [input.pair]); } catch (error) { console.log(error.code, error.message); }`,
      { pair },
    );
    expect(program.stdout).to.match(/^ERR_USAGE .*a\.test.* not for this name but for other\.test/m);
  });

  it("asks the embedder's own source before Redis", async () => {
    const pair = await stage.ca.issue(['own.test']);
    await prime2(stage.redis, 'own.test', await stage.ca.issue(['own.test']));
    const watch = await watchRedis(stage.redis);
    await using program = await startEmbedder(
      { 'redis-strategy': 2, 'redis-url': stage.redis.url },
      '',
      { pair },
      {
        sources: `[{
          name: 'mine',
          async lookup(name) {
            return name === 'own.test' ? { kind: 'found', candidates: [[input.pair]] } : { kind: 'absent' };
          },
          async check() { return { ok: true }; },
          async close() {},
        }]`,
      },
    );
    expect(await visit(program, 'own.test')).to.include({ tier: 'mine', fingerprint: fingerprintOf(pair) });
    expect(await watch.lookups('own.test')).to.equal(0);
    watch.stop();
  });
});
