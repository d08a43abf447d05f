import { expect } from 'chai';
import { ABSENT, DOWN, found } from '../../support/fake-source.js';
import { makeTestCa } from '../../support/certificates.js';
import { settled } from '../../support/manual-time.js';
import { DAY_MS, issue, NAME, openStage, openRolesStage, START_MS } from './stage.js';

const HOUR_MS = 3_600_000;

describe('Resolver: whom it asks, and for how long', () => {
  it('gives each source its share of the time, and asks the next one when a source is late', async () => {
    const { resolve, redis, manager, time } = openStage({}, ['redis', 'manager', 'ca']);
    redis.hold();
    manager.hold();
    const answer = resolve();
    await settled();
    await time.advance(666);
    expect(manager.asked).to.have.length(0);
    await time.advance(1);
    expect(manager.asked).to.have.length(1);
    await time.advance(667);
    expect(redis.asked).to.have.length(1);
    await time.advance(667);
    expect(await answer).to.include({ kind: 'pending' });
  });

  it('takes the answer of a late source where nobody else has a good certificate', async () => {
    const { resolve, redis, manager, time, pem } = openStage();
    const held = redis.hold();
    const answer = resolve();
    await settled();
    await time.advance(1_000);
    expect(manager.asked).to.have.length(1);
    await time.advance(500);
    held.resolve(found(await issue()));
    expect(await answer).to.include({ kind: 'found', tier: 'redis' });
    expect(pem.get(NAME)?.state).to.equal('fresh');
  });

  it('does not wait for a late source when the next one has a certificate', async () => {
    const { resolve, redis, manager, time } = openStage();
    redis.hold();
    manager.answer(found(await issue()));
    const answer = resolve();
    await settled();
    await time.advance(1_000);
    expect(await answer).to.include({ kind: 'found', tier: 'manager' });
  });

  it('does not wait for ever for the last source that is asked elsewhere where one in memory follows it', async () => {
    const { time, resolve, redis: elsewhere, manager: directory } = openStage();
    directory.isLocal = true;
    elsewhere.hold();
    directory.answer(found(await issue()));
    const asked = resolve();
    await settled();
    await time.advance(2_000);
    // Not `pending`: the directory was asked in time.
    expect(await asked).to.include({ kind: 'found', tier: 'manager' });
  });

  it('never takes a late source for one that has none', async () => {
    const { resolve, redis, time } = openStage();
    const held = redis.hold();
    const first = resolve();
    await time.advance(2_000);
    expect(await first).to.include({ kind: 'pending' });
    held.resolve(DOWN);
    await settled();
    expect(await resolve()).to.include({ kind: 'unavailable' });
  });

  it('asks a source in memory all the same, for the half that the others lack', async () => {
    const { resolve, redis, manager, directory } = openRolesStage();
    redis.answer(found(await issue()));
    directory.answer(found(await issue([NAME], { type: 'rsa' })));
    const answer = await resolve();
    expect(manager.asked).to.deep.equal([]);
    expect(answer.kind === 'found' && answer.certificate.pairs).to.have.length(2);
    expect(answer).to.include({ tier: 'redis' });
  });

  it('lets a source in memory add a half only: a fuller chain there does not overrule the order', async () => {
    const { resolve, redis, directory } = openRolesStage();
    const alone = await issue();
    const lower = await (await makeTestCa()).intermediate();
    const dates = { notBefore: START_MS - DAY_MS, notAfter: START_MS + DAY_MS };
    redis.answer(found(alone));
    directory.answer(
      found(await lower.issue([NAME], dates), await lower.issue([NAME], { ...dates, type: 'rsa' })),
    );
    const answer = await resolve();
    const served = answer.kind === 'found' ? answer.certificate.pairs : [];
    expect(answer).to.include({ tier: 'redis' });
    expect(served).to.have.length(2);
    expect(served[0]?.chainPem).to.equal(alone.chainPem);
  });

  it('asks on where the first one has a poor certificate, and serves the better one', async () => {
    const { resolve, redis, manager } = openStage();
    const [poor, good] = await Promise.all([
      issue([NAME], { notAfter: START_MS - 1, notBefore: 0 }),
      issue(),
    ]);
    redis.answer(found(poor));
    manager.answer(found(good));
    expect(await resolve()).to.include({ kind: 'found', tier: 'manager' });
  });
});

describe('Resolver: a certificate at hand while it is looked up afresh', () => {
  it('answers after the time of a refresh, then at once, and takes what comes behind it', async () => {
    const { resolve, redis, time } = openStage();
    redis.answer(found(await issue()));
    await resolve();
    time.nowMs += 600_000;
    const held = redis.hold();
    const first = resolve();
    await time.advance(100);
    expect(await first).to.have.nested.property('lastGood.kind', 'found');
    const second = resolve();
    await time.advance(0);
    expect(await second).to.have.nested.property('lastGood.kind', 'found');
    const renewed = await issue();
    held.resolve(found(renewed));
    await settled();
    const third = await resolve();
    expect(third).to.include({ kind: 'found', tier: 'cache' });
    expect(third.kind === 'found' && third.certificate.pairs[0]?.chainPem).to.equal(renewed.chainPem);
  });

  it('does not answer early when it is out of date: a better one is waited for', async () => {
    const { resolve, redis, time } = openStage();
    redis.answer(found(await issue([NAME], { notAfter: START_MS - 1, notBefore: 0 })));
    await resolve();
    time.nowMs += 5_000;
    const held = redis.hold();
    const answer = resolve();
    await settled();
    await time.advance(1_000);
    held.resolve(found(await issue()));
    expect(await answer).to.include({ kind: 'found', tier: 'redis' });
  });
});

describe('Resolver: what a source says has changed', () => {
  it('is looked up afresh, certificates and absent names alike, below a wildcard too, and nothing else', async () => {
    const { resolve, resolver, redis, pem } = openStage();
    const [a, b, deep] = ['a.b.test', 'b.b.test', 'x.a.b.test'] as (typeof NAME)[];
    for (const name of [a, b, deep, NAME]) await resolve({ name: name! });
    const lookUps = async (names: readonly string[]): Promise<string[]> => {
      redis.asked.length = 0;
      resolver.changed(names as (typeof NAME)[]);
      for (const name of [a, b, deep, NAME]) await resolve({ name: name! });
      return [...redis.asked];
    };
    expect(await lookUps([NAME])).to.deep.equal([NAME]);
    expect(await lookUps(['*.b.test'])).to.deep.equal([a, b]);
    redis.answer(found(await issue([a!])));
    expect(await lookUps([a!])).to.deep.equal([a]);
    expect(pem.get(a!)?.state).to.equal('fresh');
    expect(await lookUps([a!])).to.deep.equal([a]);
  });

  it('is everything where it cannot tell, and what is retained serves on meanwhile', async () => {
    const { resolve, resolver, redis } = openStage();
    redis.answer(found(await issue()));
    await resolve();
    resolver.changed(undefined);
    expect(resolver.status().valid).to.deep.equal([]);
    redis.answer(DOWN);
    expect(await resolve()).to.include({ kind: 'found', tier: 'cache' });
  });

  it('is not answered by a look-up from before of a name below a new wildcard', async () => {
    const { resolve, resolver, redis } = openStage();
    const held = redis.hold();
    const before = resolve();
    await settled();
    resolver.changed(['*.a.test' as typeof NAME]);
    held.resolve(ABSENT);
    expect(await before).to.include({ kind: 'absent', keepMs: 0 });
    redis.answer(found(await issue()));
    expect(await resolve()).to.include({ kind: 'found', tier: 'redis' });
  });

  it('is not answered by a look-up from before', async () => {
    const { resolve, resolver, redis, pem } = openStage();
    const held = redis.hold();
    const before = resolve();
    await settled();
    resolver.changed([NAME]);
    redis.answer(found(await issue()));
    expect(await resolve()).to.include({ kind: 'found' });
    const kept = pem.get(NAME)?.entry.certificate.fingerprint;
    held.resolve(ABSENT);
    expect(await before).to.include({ kind: 'found', keepMs: 0 });
    expect(pem.get(NAME)?.entry.certificate.fingerprint).to.equal(kept);
  });
});

describe('Resolver: what a worker could not build', () => {
  it('is served no more, and another one is looked for', async () => {
    const { resolve, redis, manager } = openStage();
    const [refused, other] = [await issue(), await issue()];
    redis.answer(found(refused));
    manager.answer(found(other));
    const first = await resolve();
    const fingerprint = first.kind === 'found' ? first.certificate.fingerprint : '';
    const second = await resolve({ refused: { fingerprint, reason: 'not here' } });
    expect(second).to.include({ kind: 'found', tier: 'manager' });
  });
});

describe('Resolver: a certificate that is out of date', () => {
  it('is looked up again with growing pauses up to a minute, and said once', async () => {
    const { resolve, redis, time, lines } = openStage();
    redis.answer(found(await issue([NAME], { notAfter: START_MS - 1, notBefore: 0 })));
    const pauses: number[] = [];
    for (let i = 0; i < 7; i++) {
      const answer = await resolve();
      const keepMs = answer.kind === 'found' ? (answer.keepMs ?? 0) : 0;
      pauses.push(keepMs);
      time.nowMs += keepMs;
    }
    expect(pauses).to.deep.equal([5_000, 10_000, 20_000, 40_000, 60_000, 60_000, 60_000]);
    expect(lines.filter(({ level }) => level === 'err')).to.have.length(1);
    redis.answer(found(await issue()));
    expect(await resolve())
      .to.include({ kind: 'found' })
      .and.not.to.have.property('keepMs');
  });
});

describe('Resolver: the clock of the machine', () => {
  for (const [title, byMs] of [
    ['an hour on', HOUR_MS],
    ['an hour back', -HOUR_MS],
  ] as const) {
    it(`${title} changes no time to live`, async () => {
      const { resolve, redis, time } = openStage();
      const known = found(await issue());
      redis.answer((name) => (name === NAME ? known : ABSENT));
      await resolve();
      await resolve({ name: 'none.test' as typeof NAME });
      const asked = redis.asked.length;
      time.dateOffsetMs += byMs;
      time.nowMs += 599_999;
      await resolve();
      await resolve({ name: 'none.test' as typeof NAME });
      expect(redis.asked.length).to.equal(asked);
      time.nowMs += 1;
      await resolve();
      await resolve({ name: 'none.test' as typeof NAME });
      expect(redis.asked.length).to.equal(asked + 2);
    });
  }

  it('on beyond the end of a certificate withdraws it', async () => {
    const { resolve, redis, time } = openStage();
    redis.answer(found(await issue()));
    await resolve();
    redis.answer(DOWN);
    time.dateOffsetMs += 31 * DAY_MS;
    expect(await resolve()).to.include({ kind: 'unavailable' });
  });
});
