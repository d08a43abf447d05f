/** What a source is told before it orders a certificate: that another may be there, or serves meanwhile. */
import { expect } from 'chai';
import type { ServerName } from '../../../lib/domain/server-name.js';
import type { LookupContext } from '../../../lib/sources/source.js';
import { ABSENT, DOWN, found, WAIT, type FakeSource } from '../../support/fake-source.js';
import { DAY_MS, issue, NAME, openStage, START_MS } from './stage.js';

const WILDCARD = '*.a.test' as ServerName;
const LAST_ONE = 'the last one of the name serves on for the present';

describe('Resolver: what may be ordered', () => {
  const openRoles = (settings: Parameters<typeof openStage>[0] = {}) => {
    const parts = openStage(settings, ['directory', 'redis', 'manager']);
    const [directory, redis, manager] = parts.sources as [FakeSource, FakeSource, FakeSource];
    redis.role = 'copy';
    manager.role = 'authority';
    const obstacles = (): (string | undefined)[] =>
      manager.contexts.map(({ orderObstacle }) => orderObstacle);
    return { ...parts, directory, redis, manager, obstacles };
  };

  it('is nothing while a source with certificates of its own cannot tell; a copy may be silent', async () => {
    const { resolve, directory, redis, time, obstacles } = openRoles();
    redis.answer(DOWN);
    await resolve();
    for (const unclear of [DOWN, WAIT]) {
      directory.answer(unclear);
      time.nowMs += 5_000;
      await resolve();
    }
    const reason = 'source directory could not tell whether it has one';
    expect(obstacles()).to.deep.equal([undefined, reason, reason]);
  });

  it('is nothing in place of a certificate that serves on for the grace, until that is over', async () => {
    const { resolve, redis, time, obstacles } = openRoles({ absentGraceMs: DAY_MS });
    redis.answer(found(await issue()));
    await resolve();
    redis.answer(ABSENT);
    time.nowMs += 600_000;
    expect(await resolve(), 'a manager that was restored empty').to.include({ kind: 'found' });
    time.nowMs += DAY_MS;
    await resolve();
    expect(obstacles()).to.deep.equal([LAST_ONE, undefined]);
  });

  it('is what follows one that ends within the grace, or that was expired by hand', async () => {
    const { resolve, resolver, redis, time, obstacles } = openRoles({ absentGraceMs: DAY_MS });
    const ending = found(await issue([NAME], { notAfter: START_MS + DAY_MS }));
    redis.answer(ending);
    await resolve();
    redis.answer(ABSENT);
    time.nowMs += 600_000;
    await resolve();
    redis.answer(found(await issue()));
    time.nowMs += 60_000;
    await resolve();
    redis.answer(ABSENT);
    resolver.expireDomain(NAME);
    await resolve();
    expect(obstacles()).to.deep.equal([undefined, undefined]);
  });

  describe('with wildcards on', () => {
    const ask = async (parts: ReturnType<typeof openRoles>): Promise<string[]> => {
      const heard: string[] = [];
      parts.manager.answer(async (name, { isServedAbove }: LookupContext) => {
        if (name === NAME) heard.push((await isServedAbove?.()) ?? 'not asked');
        return ABSENT;
      });
      await parts.resolve();
      return heard;
    };

    it('is nothing for a name that the wildcard above it serves, which is looked up once for that', async () => {
      const parts = openRoles({ wildcards: true });
      const wild = await issue([WILDCARD]);
      parts.redis.answer((name) => (name === WILDCARD ? found(wild) : ABSENT));
      expect(await ask(parts)).to.deep.equal(['yes']);
      expect(await parts.resolve()).to.include({ kind: 'found' });
      expect(parts.redis.asked).to.deep.equal([NAME, WILDCARD]);
    });

    it('is the name itself where the wildcard has none, or an expired one', async () => {
      expect(await ask(openRoles({ wildcards: true }))).to.deep.equal(['no']);
      const parts = openRoles({ wildcards: true });
      const past = { notBefore: START_MS - 2 * DAY_MS, notAfter: START_MS - DAY_MS };
      const old = await issue([WILDCARD], past);
      parts.redis.answer((name) => (name === WILDCARD ? found(old) : ABSENT));
      expect(await ask(parts)).to.deep.equal(['no']);
    });

    it('is not known while nobody could be asked for the wildcard', async () => {
      const parts = openRoles({ wildcards: true });
      parts.directory.answer((name) => (name === WILDCARD ? WAIT : ABSENT));
      expect(await ask(parts)).to.deep.equal(['unknown']);
    });

    it('is not asked for a wildcard itself, nor with wildcards off', async () => {
      expect(await ask(openRoles())).to.deep.equal(['not asked']);
      const parts = openRoles({ wildcards: true });
      await parts.resolve({ name: WILDCARD });
      expect(parts.manager.contexts[0]).not.to.have.property('isServedAbove');
    });
  });
});
