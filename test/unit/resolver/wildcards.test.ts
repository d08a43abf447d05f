/** Names that are served with the certificate of the wildcard above them. */
import { expect } from 'chai';
import type { CertificateBundle, CertificatePair } from '../../../lib/domain/certificate.js';
import type { Resolution } from '../../../lib/domain/lookup.js';
import type { ServerName } from '../../../lib/domain/server-name.js';
import { ABSENT, DOWN, found } from '../../support/fake-source.js';
import { DAY_MS, issue, NAME, openStage, START_MS } from './stage.js';

const WILDCARD = '*.a.test' as ServerName;

function certificateOf(resolution: Resolution): CertificateBundle {
  if (resolution.kind !== 'found') throw new Error(`it is ${resolution.kind}`);
  return resolution.certificate;
}

describe('Resolver: wildcards', () => {
  it('looks up the parent wildcard of an absent name, under a name of its own, only when asked to', async () => {
    const pair = await issue(['*.a.test']);
    const off = openStage();
    off.redis.answer((name) => (name === '*.a.test' ? found(pair) : ABSENT));
    expect(await off.resolve()).to.include({ kind: 'absent' });
    const on = openStage({ wildcards: true });
    on.redis.answer((name) => (name === '*.a.test' ? found(pair) : ABSENT));
    expect(await on.resolve()).to.include({ kind: 'found', tier: 'redis' });
    expect(on.redis.asked).to.deep.equal([NAME, '*.a.test']);
    expect(on.resolver.status()).to.deep.equal({ valid: ['*.a.test'], invalid: [NAME], autocert: [] });
    expect(await on.resolve()).to.include({ kind: 'found', tier: 'cache' });
    expect(on.redis.asked).to.have.length(2);
  });

  it('does not look for *.com', async () => {
    const { resolve, redis } = openStage({ wildcards: true });
    await resolve({ name: 'a.test' as typeof NAME });
    expect(redis.asked).to.deep.equal(['a.test']);
  });

  it('prefers the certificate of the name itself, and does not take an outage for absence', async () => {
    const { resolve, redis } = openStage({ wildcards: true });
    redis.answer(found(await issue()));
    await resolve();
    expect(redis.asked).to.deep.equal([NAME]);
    const out = openStage({ wildcards: true });
    out.redis.answer(DOWN);
    expect(await out.resolve()).to.include({ kind: 'unavailable' });
    expect(out.resolver.status().invalid).to.deep.equal([]);
  });

  describe('serve names below a cached wildcard through an outage:', () => {
    /** The wildcard is known; then a source fails. Any other name below it is new. */
    const outage = async (): Promise<ReturnType<typeof openStage> & { readonly wild: CertificatePair }> => {
      const wild = await issue([WILDCARD]);
      const parts = openStage({ wildcards: true });
      parts.redis.answer((name) => (name === WILDCARD ? found(wild) : ABSENT));
      await parts.resolve();
      parts.manager.answer(DOWN);
      return { ...parts, wild };
    };
    const served = (resolution: Resolution): string | undefined => {
      const has = resolution.kind === 'pending' ? resolution.lastGood : resolution;
      return has?.kind === 'found' ? has.certificate.pairs[0]?.keyPem : has?.kind;
    };

    it('a new one', async () => {
      const { resolve, wild } = await outage();
      const answer = await resolve({ name: 'new.a.test' as ServerName });
      expect(served(answer)).to.equal(wild.keyPem);
      expect(answer, 'looked up again as soon as the name itself').to.include({
        kind: 'found',
        keepMs: 5_000,
      });
    });

    it('one that was served with it before', async () => {
      const { resolve, time, wild } = await outage();
      const fingerprint = certificateOf(await resolve()).fingerprint;
      time.nowMs += 600_000;
      expect(await resolve({ fingerprint })).to.include({ kind: 'unchanged' });
      expect(served(await resolve())).to.equal(wild.keyPem);
    });

    it('while the sources do not answer, for this handshake', async () => {
      const { resolve, manager, time, wild } = await outage();
      const late = manager.hold();
      const waiting = resolve({ name: 'new.a.test' as ServerName });
      await time.advance(2_000);
      expect(served(await waiting)).to.equal(wild.keyPem);
      expect((await waiting).kind).to.equal('pending');
      late.resolve(ABSENT);
    });
  });

  it('takes the wildcard for a name whose own certificate has expired, and keeps it no longer than that', async () => {
    const [old, wild] = await Promise.all([
      issue([NAME], { notBefore: START_MS - 2 * DAY_MS, notAfter: START_MS - DAY_MS }),
      issue([WILDCARD]),
    ]);
    const { resolve, redis } = openStage({ wildcards: true });
    redis.answer((name) => found(name === NAME ? old : wild));
    const answer = await resolve();
    expect(certificateOf(answer).pairs[0]?.keyPem).to.equal(wild.keyPem);
    expect(answer).to.include({ keepMs: 5_000 });
    // From the caches too.
    expect(certificateOf(await resolve()).pairs[0]?.keyPem).to.equal(wild.keyPem);
    const { fingerprint } = certificateOf(answer);
    expect(await resolve({ fingerprint })).to.include({ kind: 'unchanged' });
  });

  it('leaves it at an expired certificate where the wildcard has expired too', async () => {
    const past = { notBefore: START_MS - 2 * DAY_MS, notAfter: START_MS - DAY_MS };
    const [old, wild] = await Promise.all([issue([NAME], past), issue([WILDCARD], past)]);
    const { resolve, redis } = openStage({ wildcards: true });
    redis.answer((name) => found(name === NAME ? old : wild));
    expect(certificateOf(await resolve()).pairs[0]?.keyPem).to.equal(old.keyPem);
  });
});
