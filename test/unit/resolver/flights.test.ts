import { expect } from 'chai';
import { defer } from '../../../lib/base/deferred.js';
import type { Lookup, Resolution } from '../../../lib/domain/lookup.js';
import type { ServerName } from '../../../lib/domain/server-name.js';
import { ABSENT, FakeSource, found } from '../../support/fake-source.js';
import { settled } from '../../support/manual-time.js';
import { issue, NAME, SETTINGS, openStage } from './stage.js';

describe('Resolver: one look-up for everybody', () => {
  it('asks each source once for all who ask at the same time', async () => {
    const { resolve, redis, manager } = openStage();
    manager.answer(found(await issue()));
    const answers = await Promise.all(Array.from({ length: 500 }, () => resolve()));
    expect(answers.every(({ kind }) => kind === 'found')).to.equal(true);
    expect([redis.asked.length, manager.asked.length]).to.deep.equal([1, 1]);
  });

  it('lets each wait for the look-up time, and goes on behind them', async () => {
    const { resolve, redis, time } = openStage();
    const held = redis.hold();
    const first = resolve();
    await time.advance(1_500);
    const second = resolve();
    await time.advance(500);
    expect(await first).to.include({ kind: 'pending', waitsFor: 'sources-late' });
    held.resolve(found(await issue()));
    expect(await second).to.include({ kind: 'found' });
    expect(await resolve()).to.include({ kind: 'found', tier: 'cache' });
    expect(redis.asked).to.have.length(1);
  });

  it('gives the last good certificate to those for whom time runs out, at once when it has run out already', async () => {
    const { resolve, redis, time } = openStage();
    redis.answer(found(await issue()));
    const before = await resolve();
    time.nowMs += 600_000;
    redis.hold();
    const first = resolve();
    await time.advance(2_000);
    const answer = await first;
    expect(answer).to.have.nested.property('lastGood.kind', 'found');
    const fingerprint = before.kind === 'found' ? before.certificate.fingerprint : '';
    const second = resolve({ fingerprint });
    await time.advance(0);
    expect(await second).to.deep.include({ kind: 'pending', lastGood: { kind: 'unchanged' } });
  });

  it('waits for name, wildcard and half no longer than for one look-up: longer than that no worker waits', async () => {
    const WILDCARD = '*.a.test' as ServerName;
    const { resolve, redis, manager, time } = openStage({ wildcards: true });
    const [exact, wildcard] = [defer<Lookup>(), defer<Lookup>()];
    redis.answer((name) => (name === NAME ? exact : wildcard).promise);
    const waiting = resolve({ wants: 'rsa' });
    await time.advance(1_500);
    exact.resolve(ABSENT);
    await time.advance(499);
    expect(redis.asked).to.deep.equal([NAME, WILDCARD]);
    let answer: Resolution | undefined;
    void waiting.then((resolution) => (answer = resolution));
    await time.advance(1);
    expect(answer?.kind).to.equal('pending');
    expect(manager.asked).to.deep.equal([NAME]);
    wildcard.resolve(ABSENT);
  });

  it('does not begin to look for a half when it has waited for the rest in vain', async () => {
    const { resolve, redis, manager, time } = openStage();
    redis.answer(found(await issue()));
    await resolve();
    time.nowMs += 600_000;
    redis.hold();
    const waiting = resolve({ wants: 'rsa' });
    let answer: Resolution | undefined;
    void waiting.then((resolution) => (answer = resolution));
    await time.advance(100);
    expect(answer?.kind).to.equal('pending');
    expect(manager.asked).to.deep.equal([]);
  });

  it('survives a source that throws', async () => {
    const { resolve, redis, lines } = openStage();
    redis.answer(() => {
      throw new Error('a bug');
    });
    expect(await resolve()).to.deep.equal({ kind: 'unavailable', reason: 'internal error', keepMs: 5_000 });
    expect(lines.at(-1)).to.deep.include({ level: 'err', message: 'look-up failed' });
  });
});

describe('Resolver: orders', () => {
  async function ordering() {
    const parts = openStage();
    const held = parts.manager.hold();
    parts.manager.answer((_name, context) => {
      context.onOrder?.({ mayWait: true });
      return held.promise;
    });
    return { ...parts, held, pair: await issue() };
  }

  it('lets everybody but the starter go when an order begins, and tells the starter', async () => {
    const { resolve } = await ordering();
    const [starter, other] = await Promise.all([resolve(), resolve()]);
    expect(starter).to.deep.include({ kind: 'pending', starter: true, waitsFor: 'ordering' });
    expect(other).to.include({ kind: 'pending', waitsFor: 'ordering' }).and.not.to.have.property('starter');
    expect(await resolve())
      .to.include({ kind: 'pending' })
      .and.not.to.have.property('starter');
  });

  it('lets the starter wait for the end, beyond the look-up time', async () => {
    const { resolve, held, pair, time, resolver } = await ordering();
    await resolve();
    const waiting = resolve({ phase: 'order' });
    await time.advance(20_000);
    expect(resolver.status().autocert).to.deep.equal([NAME]);
    held.resolve(found(pair));
    expect(await waiting).to.include({ kind: 'found', tier: 'manager' });
    expect(await resolve()).to.include({ kind: 'found', tier: 'cache' });
    expect(resolver.status().autocert).to.deep.equal([]);
  });

  it('tells the starter where it came from, though the order had ended before the starter came back for it', async () => {
    const { resolve, held, pair } = await ordering();
    await resolve();
    held.resolve(found(pair));
    await settled();
    expect(await resolve({ phase: 'order' })).to.include({ kind: 'found', tier: 'manager' });
  });

  it('lets the starter go after the order time, and keeps the certificate that comes later', async () => {
    const { resolve, held, pair, time } = await ordering();
    await resolve();
    const waiting = resolve({ phase: 'order' });
    await time.advance(30_000);
    expect(await waiting).to.include({ kind: 'pending', waitsFor: 'ordering' });
    held.resolve(found(pair));
    await settled();
    expect(await resolve()).to.include({ kind: 'found', tier: 'cache' });
  });

  it('tells a source whether a certificate of the name is known, and who asks', async () => {
    const { resolve, redis, time } = openStage();
    redis.answer(found(await issue()));
    await resolve({ client: '198.51.100.7' });
    time.nowMs += 600_000;
    await resolve();
    expect(redis.contexts.map(({ known }) => known)).to.deep.equal([false, true]);
    expect(redis.contexts[0]?.client).to.equal('198.51.100.7');
  });
});

describe('Resolver: expiring by hand', () => {
  it('forgets certificate, negative entry, error entry and what sources remember of a name', async () => {
    const { resolve, resolver, redis, manager, pem, negative } = openStage();
    redis.answer(found(await issue()));
    await resolve();
    resolver.expireDomain(NAME);
    expect(pem.get(NAME)).to.equal(undefined);
    redis.answer(ABSENT);
    await resolve();
    resolver.expireDomain(NAME);
    expect(negative.get(NAME)).to.equal(undefined);
    expect(manager.forgotten).to.deep.equal([NAME, NAME]);
    await resolve();
    expect(redis.asked).to.have.length(3);
  });

  it('does not store the answer of a look-up that began before, nor lets its waiters keep it', async () => {
    for (const expire of [
      (parts: ReturnType<typeof openStage>) => parts.resolver.expireDomain(NAME),
      (parts: ReturnType<typeof openStage>) => parts.resolver.expireAll({ hard: false }),
    ]) {
      const parts = openStage();
      const { resolve, redis, pem } = parts;
      const held = redis.hold();
      const before = resolve();
      await settled();
      expire(parts);
      redis.answer(found(await issue()));
      const after = resolve();
      await after;
      const kept = pem.get(NAME)?.entry.certificate.fingerprint;
      held.resolve(found(await issue()));
      expect(await before).to.include({ kind: 'found', keepMs: 0 });
      expect(pem.get(NAME)?.entry.certificate.fingerprint).to.equal(kept);
      expect(redis.asked).to.have.length(2);
    }
  });

  it('lets no worker keep what a wildcard has in place of a name that was expired while it was looked up', async () => {
    const { resolve, resolver, redis, manager } = openStage({ wildcards: true });
    const pair = await issue(['*.a.test']);
    const held = redis.hold();
    const waiting = resolve();
    await settled();
    manager.answer((name) => (name === NAME ? ABSENT : found(pair)));
    resolver.expireDomain(NAME);
    held.resolve(ABSENT);
    expect(await waiting).to.include({ kind: 'found', keepMs: 0 });
    expect(await resolve())
      .to.include({ kind: 'found' })
      .and.not.to.have.property('keepMs');
  });

  it('of all: looks everything up afresh; retained copies serve in an outage, unless it is hard', async () => {
    for (const hard of [false, true]) {
      const { resolve, resolver, redis } = openStage();
      redis.answer(found(await issue()));
      await resolve();
      resolver.expireAll({ hard });
      expect(resolver.status().valid).to.deep.equal([]);
      redis.answer({ kind: 'unavailable', reason: 'down', scope: 'source' });
      expect((await resolve()).kind).to.equal(hard ? 'unavailable' : 'found');
    }
  });
});

describe('Resolver: settings and seeds', () => {
  it('closes sources that come when it is closed: of a reload that the end of the program has overtaken', async () => {
    const { resolver, redis, manager } = openStage();
    await resolver.close();
    expect([redis.closed, manager.closed]).to.deep.equal([true, true]);
    const late = new FakeSource('directory');
    await resolver.configure(SETTINGS, [late, manager]);
    expect(late.closed).to.equal(true);
  });

  it('closes the sources that a reload leaves out when their look-ups have ended, and stores none of these', async () => {
    const { resolve, resolver, redis, manager, pem } = openStage();
    const held = redis.hold();
    const waiting = resolve();
    await settled();
    const next = new FakeSource('directory');
    const configured = resolver.configure(SETTINGS, [next, manager]);
    await settled();
    expect(redis.closed).to.equal(false);
    held.resolve(found(await issue()));
    await configured;
    expect([redis.closed, manager.closed]).to.deep.equal([true, false]);
    expect(await waiting).to.include({ kind: 'found', keepMs: 0 });
    expect(pem.get(NAME)).to.equal(undefined);
  });

  it('looks up afresh what is known when a reload has other sources, or another order, and else nothing', async () => {
    const { resolve, resolver, redis, manager, sources, pem } = openStage();
    const absent = 'absent.test' as typeof NAME;
    redis.answer((name) => (name === NAME ? found(pair) : ABSENT));
    const pair = await issue();
    await resolve();
    await resolve({ name: absent });
    await resolver.configure(SETTINGS, [...sources]);
    expect([(await resolve()).kind, (await resolve({ name: absent })).kind]).to.deep.equal([
      'found',
      'absent',
    ]);
    expect(redis.asked).to.have.length(2);

    await resolver.configure(SETTINGS, [manager, redis]);
    expect(pem.get(NAME)?.state).to.equal('retained');
    manager.answer(found(await issue([absent])));
    expect(await resolve({ name: absent })).to.include({ kind: 'found', tier: 'manager' });
    expect(manager.asked).to.include(absent);
  });

  it('takes a certificate by hand, and refuses one that must not be served', async () => {
    const { resolve, resolver, redis } = openStage();
    await resolve();
    const pair = await issue();
    resolver.seed(NAME, [pair]);
    expect(await resolve()).to.include({ kind: 'found', tier: 'cache' });
    expect(redis.asked).to.have.length(1);
    expect(() => resolver.seed('b.test' as typeof NAME, [pair])).to.throw(/not for this name/);
  });
});
