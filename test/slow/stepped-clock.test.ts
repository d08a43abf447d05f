/**
 * A wall clock that is stepped by an hour while the program runs changes no time to live; dates of certificates go by it.
 *
 * What was asked outside is counted: look-ups in Redis with MONITOR, requests to the manager.
 */
import { expect } from 'chai';
import { startProgram, type Program } from '../support/program.js';
import { openStage, prime2, watchRedis, type RedisWatch, type Stage } from '../support/stage.js';
import { makeSteppedClock, type SteppedClock } from '../support/stepped-clock.js';
import { eventually } from '../support/eventually.js';
import { eventuallyServes, fingerprintOf, visit } from '../support/visit.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** For what lapses by the wall clock to do so, counted in visits. */
const VISITS = 10;
const FOR_LONG = '600';

/** Seconds of LRU and PEM cache, so that one of them is what keeps a name for the given time. */
const LAYERS: readonly {
  readonly layer: string;
  readonly durations: (seconds: string) => [lru: string, cert: string];
}[] = [
  { layer: 'primary', durations: (seconds) => ['0.01', seconds] },
  { layer: 'worker', durations: (seconds) => [seconds, '0.01'] },
];

const STEPS = [
  { title: 'forwards', stepMs: HOUR_MS },
  { title: 'back', stepMs: -HOUR_MS },
];

describe('A wall clock that is stepped by an hour', () => {
  let stage: Stage;
  let watch: RedisWatch;
  let clock: SteppedClock;
  before(async () => {
    stage = await openStage();
    watch = await watchRedis(stage.redis);
    clock = await makeSteppedClock();
  });
  after(async () => {
    watch.stop();
    await Promise.all([stage.close(), clock.remove()]);
  });

  const start = async (lruSeconds: string, certSeconds: string, ...more: string[]): Promise<Program> => {
    await clock.step(0);
    const flags = [...stage.redisFlags(2), ...stage.managerFlags, ...more];
    const durations = ['--lru-cache-duration', lruSeconds, '--cert-cache-duration', certSeconds];
    return startProgram([...flags, ...durations], { env: clock.env });
  };
  for (const { title, stepMs } of STEPS) {
    describe(title, () => {
      for (const { layer, durations } of LAYERS) {
        it(`keeps hits and misses in the ${layer} for their time`, async () => {
          const [hit, miss] = [`hit-kept-${layer}-${title}.test`, `miss-kept-${layer}-${title}.test`];
          await prime2(stage.redis, hit, await stage.ca.issue([hit]));
          await using program = await start(...durations(FOR_LONG));
          for (const name of [hit, miss]) await visit(program, name);
          await clock.step(stepMs);
          for (let count = 0; count < VISITS; count++) {
            for (const name of [hit, miss]) await visit(program, name);
          }
          for (const name of [hit, miss]) expect(await watch.lookups(name), name).to.equal(1);
        });

        it(`keeps hits and misses in the ${layer} no longer than their time`, async () => {
          const [hit, miss] = [`hit-lapsed-${layer}-${title}.test`, `miss-lapsed-${layer}-${title}.test`];
          await prime2(stage.redis, hit, await stage.ca.issue([hit]));
          await using program = await start(...durations('0.3'));
          for (const name of [hit, miss]) await visit(program, name);
          await clock.step(stepMs);
          for (const name of [hit, miss]) {
            const pair = await stage.ca.issue([name]);
            await prime2(stage.redis, name, pair);
            await eventuallyServes(program, name, pair);
          }
        });
      }

      it('leaves a refused name alone for the whole hold-off', async () => {
        const name = `held-off-${title}.test`;
        stage.manager.onAutocert(name, () => ({ status: 200, body: { result: 'error', error: 'no' } }));
        await using program = await start(
          '0.01',
          '0.01',
          '--enable-autocert',
          '--autocert-holdoff',
          FOR_LONG,
        );
        await visit(program, name);
        await clock.step(stepMs);
        const before = stage.manager.requestsFor('GET', name).length;
        await eventually('the name has been looked up again', async () => {
          await visit(program, name);
          return stage.manager.requestsFor('GET', name).length >= before + 3;
        });
        expect(stage.manager.requestsFor('POST', name)).to.have.length(1);
      });

      it('decides which certificate is valid', async () => {
        const name = `dated-${title}.test`;
        const nowMs = Date.now();
        const brief = { notBefore: nowMs - 10 * MINUTE_MS, notAfter: nowMs + 30 * MINUTE_MS };
        const [first, second] = [await stage.ca.issue([name], brief), await stage.ca.issue([name])];
        await prime2(stage.redis, name, first);
        stage.manager.setCertificate(name, second);
        await using program = await start('0.1', '0.3');
        expect((await visit(program, name)).fingerprint).to.equal(fingerprintOf(first));
        await clock.step(stepMs);
        await eventuallyServes(program, name, second);
        await clock.step(0);
        await eventuallyServes(program, name, first);
      });
    });
  }

  it('makes the primary drop a certificate at its notAfter, however long it is cached', async () => {
    const name = 'over.test';
    const [first, second] = [
      await stage.ca.issue([name], { notAfter: Date.now() + 30 * MINUTE_MS }),
      await stage.ca.issue([name]),
    ];
    await prime2(stage.redis, name, first);
    await using program = await start('0.1', FOR_LONG);
    expect((await visit(program, name)).fingerprint).to.equal(fingerprintOf(first));
    await clock.step(HOUR_MS);
    await prime2(stage.redis, name, second);
    await eventuallyServes(program, name, second);
  });
});
