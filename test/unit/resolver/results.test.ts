import { expect } from 'chai';
import { makeTestCa } from '../../support/certificates.js';
import { ABSENT, DOWN, found, WAIT } from '../../support/fake-source.js';
import { DAY_MS, issue, NAME, openStage, START_MS } from './stage.js';

describe('Resolver: what a look-up comes to', () => {
  it('takes the first source that has a certificate, and asks no further', async () => {
    const { resolve, redis, manager, pem } = openStage();
    redis.answer(found(await issue()));
    const answer = await resolve();
    expect(answer).to.include({ kind: 'found', tier: 'redis' });
    expect(answer).not.to.have.property('keepMs');
    expect(manager.asked).to.deep.equal([]);
    expect(pem.get(NAME)?.state).to.equal('fresh');
  });

  it('asks the next source after absent, unavailable and pending ones', async () => {
    for (const earlier of [ABSENT, DOWN, WAIT]) {
      const { resolve, redis, manager } = openStage();
      redis.answer(earlier);
      manager.answer(found(await issue()));
      expect(await resolve()).to.include({ kind: 'found', tier: 'manager' });
    }
  });

  it('answers from the PEM cache for its duration, then asks again', async () => {
    const { resolve, redis, time } = openStage();
    redis.answer(found(await issue()));
    await resolve();
    time.nowMs += 599_999;
    expect(await resolve()).to.include({ kind: 'found', tier: 'cache' });
    expect(redis.asked).to.have.length(1);
    time.nowMs += 1;
    expect(await resolve()).to.include({ kind: 'found', tier: 'redis' });
    expect(redis.asked).to.have.length(2);
  });

  it('answers unchanged to the one who has the certificate already, from the cache and from a source', async () => {
    const { resolve, redis } = openStage();
    redis.answer(found(await issue()));
    const first = await resolve();
    const fingerprint = first.kind === 'found' ? first.certificate.fingerprint : '';
    expect(await resolve({ fingerprint })).to.deep.equal({ kind: 'unchanged', tier: 'cache' });
    const again = openStage();
    again.redis.answer(found(first.kind === 'found' ? first.certificate.pairs[0]! : await issue()));
    expect(await again.resolve({ fingerprint })).to.deep.equal({ kind: 'unchanged', tier: 'redis' });
  });

  it('remembers absent for the cache duration, when every source said so', async () => {
    const { resolve, redis, manager, time } = openStage();
    expect(await resolve()).to.deep.equal({ kind: 'absent', tier: 'manager' });
    time.nowMs += 599_999;
    expect(await resolve()).to.deep.equal({ kind: 'absent', tier: 'cache' });
    expect(manager.asked).to.have.length(1);
    time.nowMs += 1;
    redis.answer(found(await issue()));
    expect(await resolve()).to.include({ kind: 'found' });
  });

  it('keeps the last good one while a source cannot tell, rather than a worse one of another', async () => {
    const { resolve, redis, manager, pem, time } = openStage();
    const whole = await issue();
    const stranger = await makeTestCa();
    // The certificates behind the leaf are not its issuers'.
    const broken = { ...whole, chainPem: whole.chainPem + stranger.authority.certPem };
    redis.answer(found(broken));
    manager.answer(found(whole));
    const first = await resolve();
    const fingerprint = first.kind === 'found' ? first.certificate.fingerprint : '';
    expect(first).to.include({ kind: 'found', tier: 'manager' });
    for (const silent of [DOWN, WAIT]) {
      manager.answer(silent);
      time.nowMs += 600_000;
      expect(await resolve({ fingerprint })).to.deep.equal({
        kind: 'unchanged',
        tier: 'manager',
        keepMs: 5_000,
      });
      expect(pem.get(NAME)?.entry.certificate.fingerprint).to.equal(fingerprint);
    }
    // Its word counts again as soon as it has spoken, whatever is wrong with what Redis has.
    redis.answer(found(broken, { ...whole, keyPem: 'no key' }));
    manager.answer(ABSENT);
    time.nowMs += 5_000;
    const said = await resolve({ fingerprint });
    expect(said).to.include({ kind: 'found', tier: 'redis' }).and.not.to.have.property('keepMs');
  });

  it('never takes an outage for absence, and remembers it for the error duration only', async () => {
    for (const [first, second] of [
      [DOWN, ABSENT],
      [ABSENT, DOWN],
      [DOWN, DOWN],
    ] as const) {
      const { resolve, redis, manager, time, resolver } = openStage();
      redis.answer(first);
      manager.answer(second);
      const answer = await resolve();
      expect(answer).to.include({ kind: 'unavailable', keepMs: 5_000 });
      time.nowMs += 1_000;
      expect(await resolve()).to.include({ kind: 'unavailable', keepMs: 4_000 });
      expect(redis.asked).to.have.length(1);
      expect(resolver.status().invalid).to.deep.equal([]);
      time.nowMs += 4_000;
      await resolve();
      expect(redis.asked).to.have.length(2);
    }
  });

  it('says at notice why a name has no certificate when the trouble is with that name alone', async () => {
    for (const [scope, level] of [
      ['name', 'notice'],
      ['source', 'info'],
    ] as const) {
      const { resolve, redis, lines } = openStage();
      redis.answer({ kind: 'unavailable', reason: 'c:7 is missing', scope });
      await resolve();
      expect(lines.at(-1)).to.deep.include({ level, message: 'no source could tell' });
      expect(lines.at(-1)?.fields).to.include({ name: NAME, reason: 'redis: c:7 is missing' });
    }
  });

  it('keeps nothing when a source has no answer yet, even if another is down', async () => {
    const { resolve, redis, manager } = openStage();
    redis.answer(DOWN);
    manager.answer(WAIT);
    expect(await resolve()).to.deep.equal({ kind: 'pending', reason: 'manager: no token left' });
    await resolve();
    expect(manager.asked).to.have.length(2);
  });

  it('lets the retained certificate serve on in an outage, asking once in the error duration', async () => {
    const { resolve, redis, manager, time } = openStage();
    redis.answer(found(await issue()));
    await resolve();
    time.nowMs += 600_000;
    redis.answer(DOWN);
    expect(await resolve()).to.include({ kind: 'found', tier: 'cache', keepMs: 5_000 });
    time.nowMs += 2_000;
    expect(await resolve()).to.include({ kind: 'found', tier: 'cache', keepMs: 3_000 });
    expect(manager.asked).to.have.length(1);
    time.nowMs += 3_000;
    redis.answer(found(await issue()));
    expect(await resolve()).to.include({ kind: 'found', tier: 'redis' });
  });

  it('lets it serve on, too, where a source breaks its contract, and the look-up fails', async () => {
    const { resolve, redis, time } = openStage();
    redis.answer(found(await issue()));
    await resolve();
    time.nowMs += 600_001;
    redis.answer(() => {
      throw new Error('it was not to throw');
    });
    expect((await resolve()).kind).to.equal('pending');
    expect(await resolve()).to.have.nested.property('lastGood.kind', 'found');
  });

  it('gives up the retained certificate at its notAfter', async () => {
    const { resolve, redis, time } = openStage();
    redis.answer(found(await issue([NAME], { notAfter: START_MS + DAY_MS })));
    await resolve();
    redis.answer(DOWN);
    time.nowMs += DAY_MS - 1;
    expect(await resolve()).to.include({ kind: 'found' });
    time.nowMs += 5_001;
    expect(await resolve()).to.include({ kind: 'unavailable' });
  });

  describe('when every source says that a known name has none any more', () => {
    const cases = [
      ['serves on what is valid, and looks again within a minute', 86_400_000, 60_000, 'found', 2],
      ['drops it when the grace is over', 86_400_000, 86_400_000, 'absent', 2],
      ['drops it at once without a grace', 0, 0, 'absent', 1],
    ] as const;
    for (const [title, absentGraceMs, laterMs, kind, lookups] of cases) {
      it(title, async () => {
        const { resolve, redis, time, pem, lines } = openStage({ absentGraceMs });
        redis.answer(found(await issue()));
        await resolve();
        time.nowMs += 600_000;
        redis.answer(ABSENT);
        const asked = redis.asked.length;
        const first = await resolve();
        if (absentGraceMs > 0) expect(first).to.include({ kind: 'found', tier: 'cache', keepMs: 60_000 });
        time.nowMs += laterMs;
        expect(await resolve()).to.include({ kind });
        expect(redis.asked.length - asked).to.equal(lookups);
        expect(pem.get(NAME) !== undefined).to.equal(kind === 'found');
        const said = lines.filter(({ level, message }) => level === 'notice' && /every source/.test(message));
        expect(said).to.have.length(absentGraceMs > 0 ? 1 : 0);
      });
    }

    it('begins a new grace when it has come back meanwhile', async () => {
      const { resolve, redis, time } = openStage({ absentGraceMs: 100_000, certCacheDurationMs: 1_000 });
      const pair = await issue();
      for (let i = 0; i < 3; i++) {
        redis.answer(found(pair));
        time.nowMs += 60_000;
        expect(await resolve()).to.include({ kind: 'found', tier: 'redis' });
        redis.answer(ABSENT);
        time.nowMs += 60_000;
        expect(await resolve()).to.include({ kind: 'found', tier: 'cache' });
      }
    });

    it('serves nothing on that has been expired by hand, or has come to its end', async () => {
      const { resolve, resolver, redis, time } = openStage();
      redis.answer(found(await issue()));
      await resolve();
      redis.answer(ABSENT);
      resolver.expireDomain(NAME);
      expect(await resolve()).to.include({ kind: 'absent' });
      time.nowMs += 600_000;
      redis.answer(found(await issue([NAME], { notAfter: time.nowMs + 600_000 })));
      expect(await resolve()).to.include({ kind: 'found' });
      redis.answer(ABSENT);
      time.nowMs += 600_000;
      expect(await resolve()).to.include({ kind: 'absent' });
    });
  });
});

describe('Resolver: certificates that are not as they should be', () => {
  const expired = () => issue([NAME], { notAfter: START_MS - 1, notBefore: START_MS - DAY_MS });

  it('prefers a valid one of a later source to an expired one', async () => {
    const { resolve, redis, manager } = openStage();
    redis.answer(found(await expired()));
    manager.answer(found(await issue()));
    expect(await resolve()).to.include({ kind: 'found', tier: 'manager' });
  });

  it('prefers a valid candidate to an expired one before it', async () => {
    const { resolve, manager, lines } = openStage();
    manager.answer(found(await expired(), await issue()));
    expect(await resolve()).to.include({ kind: 'found', tier: 'manager' });
    expect(lines.map(({ message }) => message)).to.include('certificate of manager is outdated');
  });

  it('serves an expired one rather than none, for the error duration', async () => {
    for (const pair of [await expired(), await issue([NAME], { notBefore: START_MS + DAY_MS })]) {
      const { resolve, redis, time } = openStage();
      redis.answer(found(pair));
      expect(await resolve()).to.include({ kind: 'found', tier: 'redis', keepMs: 5_000 });
      time.nowMs += 5_000;
      await resolve();
      expect(redis.asked).to.have.length(2);
    }
  });

  it('lets a retained one that is still valid serve on rather than an expired one', async () => {
    const { resolve, redis, time } = openStage();
    const good = await issue();
    redis.answer(found(good));
    await resolve();
    time.nowMs += 600_000;
    redis.answer(found(await expired()));
    const answer = await resolve();
    expect(answer).to.include({ kind: 'found', tier: 'cache' });
    expect(answer.kind === 'found' && answer.certificate.pairs[0]?.chainPem).to.equal(good.chainPem);
  });

  it('logs an unusable one without its key, asks on, and is unavailable if nobody has a better one', async () => {
    const other = await issue(['other.test']);
    const unusable = {
      'for another name': other,
      'with a key of another': { ...(await issue()), keyPem: other.keyPem },
      'that does not parse': { ...other, chainPem: 'junk' },
      'with a key that does not parse': { ...(await issue()), keyPem: 'junk' },
    };
    for (const [title, pair] of Object.entries(unusable)) {
      const { resolve, redis, lines, manager } = openStage();
      redis.answer(found(pair));
      expect(await resolve(), title).to.include({ kind: 'unavailable' });
      const line = lines.find(({ level }) => level === 'err');
      expect(line?.message, title).to.equal('certificate of redis is unusable');
      expect(JSON.stringify(lines), title).not.to.include('PRIVATE KEY');
      expect(manager.asked, title).to.have.length(1);
    }
  });
});
