import { expect } from 'chai';
import { ABSENT, DOWN, FakeSource, found, WAIT } from '../../support/fake-source.js';
import { settled } from '../../support/manual-time.js';
import { DAY_MS, issue, NAME, openStage, openRolesStage, SETTINGS, START_MS } from './stage.js';

const HOUR_MS = 3_600_000;

type Overtaken = ReturnType<typeof openRolesStage>;

describe('Resolver: after an expire of a name', () => {
  it('follows the manager, whatever Redis still has', async () => {
    const { resolve, resolver, redis, manager } = openRolesStage();
    const [withdrawn, renewed] = [await issue(), await issue()];
    redis.answer(found(withdrawn));
    manager.answer(found(renewed));
    expect(await resolve()).to.include({ tier: 'redis' });
    resolver.expireDomain(NAME);
    const answer = await resolve();
    expect(answer).to.include({ kind: 'found', tier: 'manager' });
    expect(redis.asked).to.have.length(1);
  });

  it('follows it also when it says that there is none, until it has one again', async () => {
    const { resolve, resolver, redis, manager, time } = openRolesStage();
    redis.answer(found(await issue()));
    resolver.expireDomain(NAME);
    expect(await resolve()).to.include({ kind: 'absent' });
    time.nowMs += 600_000;
    expect(await resolve()).to.include({ kind: 'absent' });
    expect(redis.asked).to.deep.equal([]);

    time.nowMs += 600_000;
    manager.answer(found(await issue()));
    expect(await resolve()).to.include({ kind: 'found', tier: 'manager' });
    time.nowMs += 600_000;
    expect(await resolve()).to.include({ kind: 'found', tier: 'redis' });
  });

  it('goes on to mistrust Redis where the manager has only an outdated one', async () => {
    const { resolve, resolver, redis, manager, time } = openRolesStage();
    const outdated = await issue([NAME], { notBefore: 0, notAfter: START_MS - 1 });
    redis.answer(found(await issue()));
    manager.answer(found(outdated));
    resolver.expireDomain(NAME);
    for (let i = 0; i < 2; i++) {
      expect(await resolve()).to.include({ kind: 'found', tier: 'manager', keepMs: 5_000 * 2 ** i });
      time.nowMs += 10_000;
    }
    expect(redis.asked).to.deep.equal([]);
  });

  it('lets Redis answer while the manager is silent, and asks the manager again soon', async () => {
    const { resolve, resolver, redis, manager, time } = openRolesStage();
    redis.answer(found(await issue()));
    manager.answer(DOWN);
    resolver.expireDomain(NAME);
    expect(await resolve()).to.include({ kind: 'found', tier: 'redis', keepMs: 5_000 });
    time.nowMs += 5_000;
    manager.answer(ABSENT);
    expect(await resolve()).to.include({ kind: 'absent' });
  });

  it('lets no worker keep what Redis has in its silence any longer, the one that asks later no more than the first', async () => {
    const { resolve, resolver, redis, manager, time } = openRolesStage();
    redis.answer(found(await issue()));
    manager.answer(DOWN);
    resolver.expireDomain(NAME);
    expect(await resolve()).to.include({ kind: 'found', tier: 'redis', keepMs: 5_000 });
    time.nowMs += 2_000;
    expect(await resolve()).to.include({ kind: 'found', tier: 'cache', keepMs: 3_000 });
  });

  for (const [what, answer, outcome] of [
    ['has none', ABSENT, 'absent'],
    ['has no answer yet', WAIT, 'pending'],
  ] as const) {
    it(`does not count what Redis says once the manager has said, late, that it ${what}`, async () => {
      const { resolve, resolver, redis, manager, time, pem } = openRolesStage();
      resolver.expireDomain(NAME);
      const [late, copy] = [manager.hold(), redis.hold()];
      const waiting = resolve();
      await settled();
      // The manager's share of the time.
      await time.advance(1_000);
      expect(redis.asked).to.have.length(1);
      late.resolve(answer);
      await settled();
      copy.resolve(found(await issue()));
      expect(await waiting).to.include({ kind: outcome });
      expect(pem.get(NAME)).to.equal(undefined);
    });
  }

  it('does not count what Redis has said when the manager says, while others are asked, that there is none', async () => {
    const { resolve, resolver, redis, manager, time, sources, pem } = openRolesStage();
    const own = new FakeSource('own');
    resolver.expireDomain(NAME);
    own.role = 'copy';
    await resolver.configure(SETTINGS, [...sources, own]);
    // One that is not good enough to ask no further.
    redis.answer(found(await issue([NAME], { notBefore: 0, notAfter: START_MS - 1 })));
    const [late, copy] = [manager.hold(), own.hold()];
    const waiting = resolve();
    await settled();
    await time.advance(1_000);
    expect(own.asked).to.have.length(1);
    late.resolve(ABSENT);
    await settled();
    copy.resolve(ABSENT);
    expect(await waiting).to.include({ kind: 'absent' });
    expect(pem.get(NAME)).to.equal(undefined);
  });

  it('does not ask Redis while the manager is ordering one', async () => {
    const { resolve, resolver, redis, manager } = openRolesStage();
    redis.answer(found(await issue()));
    manager.answer(WAIT);
    resolver.expireDomain(NAME);
    expect(await resolve()).to.include({ kind: 'pending' });
    expect(redis.asked).to.deep.equal([]);
  });

  it('asks Redis as before where there is no manager, keeps its answer, and lets it serve on when it is lost', async () => {
    const { resolve, resolver, redis, time } = openStage({}, ['redis']);
    redis.role = 'copy';
    redis.answer(found(await issue()));
    resolver.expireDomain(NAME);
    const answer = await resolve();
    expect(answer).to.include({ kind: 'found', tier: 'redis' }).and.not.to.have.property('keepMs');
    time.nowMs += 600_000;
    redis.answer(ABSENT);
    expect(await resolve()).to.include({ kind: 'found', tier: 'cache' });
  });

  it('keeps what the directory has for the usual time, the manager silent or not', async () => {
    const { resolve, resolver, manager, directory, redis, time } = openRolesStage();
    manager.answer(DOWN);
    directory.answer(found(await issue()));
    resolver.expireDomain(NAME);
    expect(await resolve())
      .to.include({ kind: 'found', tier: 'directory' })
      .and.not.to.have.property('keepMs');
    time.nowMs += 600_000;
    [directory, manager].forEach((source) => source.answer(ABSENT));
    redis.answer(found(await issue()));
    // Lost there, and not what was withdrawn.
    expect(await resolve()).to.include({ kind: 'found', tier: 'cache' });
  });
});

describe('Resolver: renewals that nobody has primed', () => {
  /** A name whose certificate in Redis has so much of its life left, looked up. */
  async function withLifeLeft(part: number) {
    const parts = openRolesStage();
    const lifeMs = 90 * DAY_MS;
    const notAfter = START_MS + lifeMs * part;
    parts.redis.answer(found(await issue([NAME], { notBefore: notAfter - lifeMs, notAfter })));
    await parts.resolve();
    await settled();
    return parts;
  }

  it('are asked for in the last third of a life, not before', async () => {
    expect((await withLifeLeft(0.34)).manager.asked).to.have.length(0);
    const { manager } = await withLifeLeft(0.33);
    expect(manager.asked).to.have.length(1);
    expect(manager.contexts[0]).to.include({ mayOrder: false, known: true });
  });

  it('are asked for once an hour, behind the handshake, and are served from then on', async () => {
    const { manager, resolve, time, pem, lines } = await withLifeLeft(0.1);
    for (let i = 0; i < 5; i++) {
      time.nowMs += 600_000;
      expect(await resolve()).to.include({ kind: 'found', tier: 'redis' });
      await settled();
    }
    expect(manager.asked).to.have.length(1);
    const renewed = await issue();
    manager.answer(found(renewed));
    time.nowMs += HOUR_MS;
    expect(await resolve()).to.include({ kind: 'found', tier: 'redis' });
    await settled();
    const answer = await resolve();
    expect(answer.kind === 'found' && answer.certificate.pairs[0]?.chainPem).to.equal(renewed.chainPem);
    expect(pem.get(NAME)?.entry.origin).to.equal('manager');
    expect(lines.filter(({ level }) => level === 'notice')).to.have.length(1);
  });

  it('withdraw nothing: absent, unavailable or poorer at the manager changes nothing', async () => {
    const expired = await issue([NAME], { notAfter: START_MS - 1, notBefore: 0 });
    for (const answer of [ABSENT, DOWN, found(expired), found(await issue(['other.test']))]) {
      const { manager, resolve, time } = await withLifeLeft(0.1);
      manager.answer(answer);
      time.nowMs += HOUR_MS;
      await resolve();
      await settled();
      expect(manager.asked).to.have.length(2);
      expect(await resolve()).to.include({ kind: 'found', tier: 'cache' });
    }
  });

  for (const [what, overtake] of [
    ['a source has something new', ({ resolver }: Overtaken) => resolver.changed([NAME])],
    ['all is expired', ({ resolver }: Overtaken) => resolver.expireAll({ hard: false })],
    ['the sources change', ({ resolver, sources }: Overtaken) => resolver.configure(SETTINGS, [...sources])],
  ] as const) {
    it(`do not count, and are asked for again, when ${what} meanwhile`, async () => {
      const parts = await withLifeLeft(0.1);
      const { manager, resolve, time, pem, redis } = parts;
      const held = manager.hold();
      time.nowMs += HOUR_MS;
      await resolve();
      void overtake(parts);
      // The look-up afterwards has the same certificate, and asks nobody else.
      expect(await resolve()).to.include({ kind: 'found' });
      held.resolve(found(await issue()));
      await settled();
      expect(pem.get(NAME)?.entry.origin).to.equal('redis');
      time.nowMs += 600_000;
      await resolve();
      await settled();
      expect(pem.get(NAME)?.entry.origin).to.equal('manager');
      expect(redis.asked).not.to.equal([]);
    });
  }

  it('are asked for again soon when no token was left', async () => {
    const { manager, resolve, time } = await withLifeLeft(0.1);
    manager.answer(WAIT);
    time.nowMs += HOUR_MS;
    await resolve();
    await settled();
    time.nowMs += 600_000;
    await resolve();
    expect(manager.asked).to.have.length(3);
  });
});
