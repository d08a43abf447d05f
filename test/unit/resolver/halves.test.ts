/** RSA and ECDSA halves that complete each other, across sources, exact name and wildcard; and one that falls alone. */
import { expect } from 'chai';
import type { CertificatePair } from '../../../lib/domain/certificate.js';
import type { KeyKind } from '../../../lib/domain/key-class.js';
import { defer } from '../../../lib/base/deferred.js';
import type { Lookup, Resolution } from '../../../lib/domain/lookup.js';
import type { ServerName } from '../../../lib/domain/server-name.js';
import { ABSENT, DOWN, found, WAIT, type FakeSource } from '../../support/fake-source.js';
import { settled } from '../../support/manual-time.js';
import { DAY_MS, issue, NAME, openStage, openRolesStage, START_MS } from './stage.js';

const WILDCARD = '*.a.test' as ServerName;

/** The keys of what is to be served. */
function keysOf(resolution: Resolution): string[] {
  const bundle =
    resolution.kind === 'found'
      ? resolution.certificate
      : resolution.kind === 'pending' && resolution.lastGood?.kind === 'found'
        ? resolution.lastGood.certificate
        : undefined;
  return bundle?.pairs.map(({ keyPem }) => keyPem) ?? [];
}

/** A source that has a certificate of one name only. */
const only =
  (name: ServerName, ...pairs: CertificatePair[]) =>
  (asked: ServerName) =>
    asked === name ? found(...pairs) : ABSENT;

describe('A half that a client needs', () => {
  let ec: CertificatePair;
  let rsa: CertificatePair;
  let wildRsa: CertificatePair;
  const both = (): string[] => [ec.keyPem, rsa.keyPem];
  before(async () => {
    [ec, rsa, wildRsa] = await Promise.all([
      issue(),
      issue([NAME], { type: 'rsa' }),
      issue([WILDCARD], { type: 'rsa' }),
    ]);
  });

  /** Redis has the ECDSA half, the manager the RSA one. */
  const split = (settings: Parameters<typeof openStage>[0] = {}) => {
    const parts = openStage(settings);
    parts.redis.answer(only(NAME, ec));
    parts.manager.answer(only(NAME, rsa));
    return parts;
  };
  const asked = (...sources: FakeSource[]): number[] => sources.map((source) => source.asked.length);

  it('is not looked for as long as nobody needs it', async () => {
    const { resolve, redis, manager } = split();
    expect(keysOf(await resolve())).to.deep.equal([ec.keyPem]);
    expect(asked(redis, manager)).to.deep.equal([1, 0]);
  });

  it('comes from a later source, is kept beside the other as one certificate, and is asked for once', async () => {
    const { resolve, redis, manager } = split();
    await resolve();
    const completed = await resolve({ wants: 'rsa' });
    expect(keysOf(completed)).to.deep.equal(both());
    const before = asked(redis, manager);
    for (const wants of [undefined, 'rsa', 'ecdsa'] as const) {
      const again = await resolve(wants === undefined ? {} : { wants });
      expect(keysOf(again)).to.deep.equal(both());
      expect(again).not.to.have.property('noHalfMs');
    }
    expect(asked(redis, manager)).to.deep.equal(before);
    if (completed.kind !== 'found') throw new Error(completed.kind);
    expect(await resolve({ fingerprint: completed.certificate.fingerprint })).to.include({
      kind: 'unchanged',
    });
  });

  it('may be the ECDSA one', async () => {
    const { resolve, redis, manager } = split();
    redis.answer(found(rsa));
    manager.answer(found(ec));
    expect(keysOf(await resolve())).to.deep.equal([rsa.keyPem]);
    expect(keysOf(await resolve({ wants: 'ecdsa' }))).to.deep.equal(both());
  });

  it('is looked for in one flight, however many ask', async () => {
    const { resolve, redis, manager } = split();
    await resolve();
    const held = manager.hold();
    const waiters = [1, 2, 3].map(() => resolve({ wants: 'rsa' }));
    await settled();
    held.resolve(found(rsa));
    for (const waiter of waiters) expect(keysOf(await waiter)).to.deep.equal(both());
    expect(asked(redis, manager)).to.deep.equal([2, 1]);
  });

  it('is waited for as long as a look-up, while other clients are served at once', async () => {
    const { resolve, time, manager } = split();
    await resolve();
    manager.hold();
    const waiter = resolve({ wants: 'rsa' });
    await settled();
    await time.advance(1_999);
    expect(keysOf(await resolve())).to.deep.equal([ec.keyPem]);
    await time.advance(1);
    expect((await waiter).kind).to.equal('pending');
  });

  it('is not waited for where nothing is cached any more, by clients that can do with what there is', async () => {
    const { resolve, resolver, time, redis, manager } = split();
    await resolve();
    await resolve({ wants: 'rsa' });
    resolver.expireAll({ hard: true });
    const late = manager.hold();
    const [first, joiner] = [resolve(), resolve()];
    await settled();
    await time.advance(99);
    const third = resolve();
    await time.advance(1);
    for (const waiter of [first, joiner]) {
      const answer = await waiter;
      expect(keysOf(answer)).to.deep.equal([ec.keyPem]);
      expect(answer, 'for this handshake').to.include({ kind: 'found', keepMs: 0 });
    }
    late.resolve(found(rsa));
    expect(keysOf(await third), 'one that comes in time').to.deep.equal(both());
    expect(keysOf(await resolve())).to.deep.equal(both());
    expect(asked(redis, manager)).to.deep.equal([3, 2]);
  });

  it('never orders a certificate, nor does a refresh of both', async () => {
    const { resolve, time, manager } = split();
    manager.answer(ABSENT);
    await resolve();
    await resolve({ wants: 'rsa' });
    await time.advance(600_000);
    await resolve();
    expect(manager.contexts.map(({ mayOrder }) => mayOrder)).to.deep.equal([false, false]);
  });

  it('takes nothing away where what was there has gone: that is for the refresh to find', async () => {
    const { resolve, time, redis, manager } = split({ absentGraceMs: 0 });
    await resolve();
    redis.answer(ABSENT);
    manager.answer(ABSENT);
    await resolve({ wants: 'rsa' });
    expect(manager.contexts.map(({ mayOrder }) => mayOrder)).to.deep.equal([false]);
    expect(keysOf(await resolve())).to.deep.equal([ec.keyPem]);
    await time.advance(600_000);
    expect((await resolve()).kind).to.equal('absent');
    expect(manager.contexts[1]).not.to.include({ mayOrder: false });
  });

  it('that nobody has is asked for once in the cache duration', async () => {
    const { resolve, time, redis, manager } = split();
    manager.answer(ABSENT);
    const first = await resolve();
    if (first.kind !== 'found') throw new Error(first.kind);
    const { fingerprint } = first.certificate;
    await time.advance(300_000);
    const wants: KeyKind = 'rsa';
    expect(await resolve({ wants, fingerprint })).to.include({ kind: 'unchanged', noHalfMs: 600_000 });
    await time.advance(500_000);
    expect(await resolve({ wants, fingerprint })).to.include({ noHalfMs: 100_000 });
    expect(asked(redis, manager)).to.deep.equal([2, 1]);
    await time.advance(100_001);
    await resolve({ wants });
    expect(manager.asked).to.have.length(2);
  });

  for (const [what, answer] of [
    ['that a source could not tell of', DOWN],
    ['that a source has no answer to yet', WAIT],
  ] as const) {
    it(`${what} is asked for again after error_cache_duration`, async () => {
      const { resolve, time, manager } = split();
      manager.answer(answer);
      await resolve();
      expect(await resolve({ wants: 'rsa' })).to.include({ kind: 'found', noHalfMs: 5_000 });
      await time.advance(4_999);
      await resolve({ wants: 'rsa' });
      expect(manager.asked).to.have.length(1);
      manager.answer(found(rsa));
      await time.advance(1);
      expect(keysOf(await resolve({ wants: 'rsa' }))).to.deep.equal(both());
    });
  }

  describe('and has been found', () => {
    const completed = async () => {
      const parts = split();
      await parts.resolve();
      expect(keysOf(await parts.resolve({ wants: 'rsa' }))).to.deep.equal(both());
      return parts;
    };

    it('is looked up with each refresh: a renewed one gets through', async () => {
      const { resolve, time, manager } = await completed();
      const renewed = await issue([NAME], { type: 'rsa' });
      manager.answer(found(renewed));
      await time.advance(600_000);
      expect(keysOf(await resolve())).to.deep.equal([ec.keyPem, renewed.keyPem]);
    });

    it('serves on while its source cannot be asked', async () => {
      const { resolve, time, manager } = await completed();
      manager.answer(DOWN);
      for (let i = 0; i < 3; i++) {
        await time.advance(600_000);
        expect(keysOf(await resolve())).to.deep.equal(both());
      }
    });

    it('serves on for absent_grace where every source says that it is gone, and then falls', async () => {
      const { resolve, time, manager } = await completed();
      manager.answer(ABSENT);
      await time.advance(600_000);
      expect(keysOf(await resolve())).to.deep.equal(both());
      await time.advance(86_400_000);
      expect(keysOf(await resolve())).to.deep.equal([ec.keyPem]);
    });

    it('goes with the name when that is expired by hand', async () => {
      const { resolve, resolver, manager } = await completed();
      manager.answer(DOWN);
      resolver.expireDomain(NAME);
      expect(keysOf(await resolve())).to.deep.equal([ec.keyPem]);
    });

    it('is not lost to a renewal that only one half has had', async () => {
      const { resolve, time, redis, manager } = openRolesStage();
      const old = await issue([NAME], { notAfter: START_MS + 3 * DAY_MS });
      const renewed = await issue();
      redis.answer(found(old));
      manager.answer(found(rsa));
      await resolve();
      await resolve({ wants: 'rsa' });
      // The authority is not asked for the name while Redis has both.
      redis.answer(found(old, rsa));
      manager.answer(found(renewed));
      await time.advance(2.5 * DAY_MS);
      await resolve();
      await settled();
      expect(keysOf(await resolve())).to.deep.equal([renewed.keyPem, rsa.keyPem]);
    });
  });

  it('that comes from a copy, of a name expired by hand, counts until the authority can be asked', async () => {
    const { resolve, resolver, time, redis, manager, directory } = openRolesStage();
    directory.answer(found(ec));
    redis.answer(found(rsa));
    manager.answer(DOWN);
    resolver.expireDomain(NAME);
    await resolve();
    const provisional = await resolve({ wants: 'rsa' });
    expect(keysOf(provisional)).to.deep.equal(both());
    expect(provisional).to.include({ keepMs: 5_000 });
    manager.answer(found(ec));
    await time.advance(5_000);
    expect(keysOf(await resolve())).to.deep.equal([ec.keyPem]);
  });

  describe('with wildcards on', () => {
    const wildcards = () => {
      const parts = openStage({ wildcards: true });
      parts.redis.answer(only(NAME, ec));
      parts.manager.answer(only(WILDCARD, wildRsa));
      return parts;
    };
    const lentBoth = (): string[] => [ec.keyPem, wildRsa.keyPem];

    it('is the one of the wildcard where the name itself has none', async () => {
      const { resolve, manager } = wildcards();
      await resolve();
      expect(keysOf(await resolve({ wants: 'rsa' }))).to.deep.equal(lentBoth());
      expect(manager.asked).to.deep.equal([NAME, WILDCARD]);
    });

    it("is the name's own where both have one", async () => {
      const { resolve, manager } = wildcards();
      manager.answer((name) => found(name === NAME ? rsa : wildRsa));
      await resolve();
      expect(keysOf(await resolve({ wants: 'rsa' }))).to.deep.equal(both());
    });

    it('is looked for once for all names below a wildcard', async () => {
      const { resolve, redis, manager } = wildcards();
      const names = ['one.a.test', 'two.a.test', 'three.a.test'] as ServerName[];
      const own = await issue(names);
      redis.answer((name) => (names.includes(name) ? found(own) : ABSENT));
      for (const name of names) {
        await resolve({ name });
        expect(keysOf(await resolve({ name, wants: 'rsa' }))).to.deep.equal([own.keyPem, wildRsa.keyPem]);
      }
      expect(manager.asked.filter((name) => name === WILDCARD)).to.have.length(1);
    });

    it("completes the wildcard's own certificate for a name that has none", async () => {
      const { resolve, redis, manager } = wildcards();
      const wildEc = await issue([WILDCARD]);
      redis.answer(only(WILDCARD, wildEc));
      expect(keysOf(await resolve())).to.deep.equal([wildEc.keyPem]);
      expect(keysOf(await resolve({ wants: 'rsa' }))).to.deep.equal([wildEc.keyPem, wildRsa.keyPem]);
      expect(manager.contexts.filter(({ mayOrder }) => mayOrder !== false)).to.have.length(1);
    });

    it('goes with the wildcard when that is expired by hand', async () => {
      const { resolve, resolver, manager } = wildcards();
      await resolve();
      await resolve({ wants: 'rsa' });
      manager.answer(DOWN);
      resolver.expireDomain(WILDCARD);
      expect(keysOf(await resolve())).to.deep.equal([ec.keyPem]);
    });

    it('goes with it also when nobody could tell of the name meanwhile', async () => {
      const { resolve, resolver, time, redis, manager } = wildcards();
      await resolve();
      await resolve({ wants: 'rsa' });
      redis.answer(DOWN);
      manager.answer(DOWN);
      await time.advance(600_000);
      expect(keysOf(await resolve())).to.deep.equal(lentBoth());
      resolver.expireDomain(WILDCARD);
      expect(keysOf(await resolve())).to.deep.equal([ec.keyPem]);
    });

    it('counts no longer than the wildcard has it for want of a better one', async () => {
      const { resolve, resolver, time, redis, manager } = openRolesStage({ wildcards: true });
      redis.answer((name) => found(name === NAME ? ec : wildRsa));
      manager.answer(DOWN);
      resolver.expireDomain(WILDCARD);
      await resolve();
      const provisional = await resolve({ wants: 'rsa' });
      expect(keysOf(provisional)).to.deep.equal(lentBoth());
      expect(provisional).to.include({ keepMs: 5_000 });
      manager.answer(ABSENT);
      await time.advance(5_000);
      await resolve();
      await time.advance(5_000);
      expect(keysOf(await resolve())).to.deep.equal([ec.keyPem]);
    });

    it('is not taken from a wildcard that is expired by hand meanwhile', async () => {
      const { resolve, resolver, manager } = wildcards();
      await resolve();
      const held = defer<Lookup>();
      manager.answer((name) => (name === WILDCARD ? held.promise : ABSENT));
      const waiter = resolve({ wants: 'rsa' });
      for (let i = 0; i < 3; i++) await settled();
      expect(manager.asked).to.include(WILDCARD);
      resolver.expireDomain(WILDCARD);
      manager.answer(DOWN);
      held.resolve(found(wildRsa));
      expect(keysOf(await waiter)).to.deep.equal([ec.keyPem]);
      expect(keysOf(await resolve())).to.deep.equal([ec.keyPem]);
    });

    it('is not the one of the wildcard where they are off', async () => {
      const { resolve, redis, manager } = split();
      redis.answer(only(NAME, ec));
      manager.answer(only(WILDCARD, wildRsa));
      await resolve();
      expect(keysOf(await resolve({ wants: 'rsa' }))).to.deep.equal([ec.keyPem]);
      expect(manager.asked).not.to.include(WILDCARD);
    });
  });
});

describe('Half a pair', () => {
  it('serves on alone when the other half has expired and no source can be asked', async () => {
    const ec = await issue([NAME], { notAfter: START_MS + DAY_MS });
    const rsa = await issue([NAME], { type: 'rsa' });
    const { resolve, time, redis, manager } = openStage();
    redis.answer(found(ec, rsa));
    expect(keysOf(await resolve())).to.deep.equal([ec.keyPem, rsa.keyPem]);
    redis.answer(DOWN);
    manager.answer(DOWN);
    await time.advance(DAY_MS);
    const left = await resolve();
    expect(keysOf(left)).to.deep.equal([rsa.keyPem]);
    await time.advance(28 * DAY_MS);
    expect(keysOf(await resolve())).to.deep.equal([rsa.keyPem]);
    await time.advance(2 * DAY_MS);
    expect((await resolve()).kind).to.equal('unavailable');
  });
});
