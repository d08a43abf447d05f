import { expect } from 'chai';
import type { CertificateBundle } from '../../../lib/domain/certificate.js';
import { A, B, C, issue, namesIn, openStage, serialIn, serialOf } from './stage.js';

describe('What a worker is told of a certificate', () => {
  let certificate: CertificateBundle;
  let ofB: CertificateBundle;

  before(async () => {
    [certificate, ofB] = await Promise.all([issue(A), issue(B)]);
  });

  const found = () => ({ kind: 'found', certificate, tier: 'redis' }) as const;

  describe('that is there before anybody asks', () => {
    it('is served at once, for the time of any other, and the last ones stay where there is no room', async () => {
      const { certificates, hit, resolve, time, questions } = await openStage({ lruMaxItems: 2 });
      const ofC = await issue(C);
      const atMs = time.nowMs;
      certificates.warm({ value: { name: C, certificate: ofC, tier: 'redis' }, atMs });
      certificates.warm({ value: { name: A, certificate, tier: 'redis' }, atMs });
      certificates.warm({ value: { name: B, certificate: ofB, tier: 'manager' }, atMs });
      expect(serialIn(hit(A))).to.equal(serialOf(certificate));
      expect(serialIn(hit(B))).to.equal(serialOf(ofB));
      expect(questions).to.deep.equal([]);
      await resolve(C, { kind: 'absent', tier: 'redis' });
      time.nowMs += 60_000;
      await resolve(A, { kind: 'unchanged', tier: 'cache' });
    });

    it('is kept no longer than the primary keeps one for want of a better one', async () => {
      const { certificates, hit, resolve, time } = await openStage();
      const value = { name: A, certificate, tier: 'redis', keepMs: 3_000 };
      certificates.warm({ value, atMs: time.nowMs });
      time.nowMs += 2_999;
      hit(A);
      time.nowMs += 1;
      await resolve(A, { kind: 'unchanged', tier: 'cache' });
    });
  });

  describe('that is read late has been running out since it was told,', () => {
    const unchanged = { kind: 'unchanged', tier: 'cache' } as const;

    it('before anybody asks', async () => {
      const { certificates, hit, resolve, time, questions } = await openStage();
      const value = { name: A, certificate, tier: 'redis' };
      certificates.warm({ value, atMs: time.nowMs - 50_000 });
      time.nowMs += 9_999;
      hit(A);
      time.nowMs += 1;
      await resolve(A, unchanged);
      expect(questions[0]?.params.fingerprint).to.equal(certificate.fingerprint);
      // So late that it is to be looked up at once; its fingerprint saves building it again.
      certificates.warm({ value: { ...value, name: B }, atMs: time.nowMs - 70_000 });
      await resolve(B, unchanged);
      expect(questions[1]?.params.fingerprint).to.equal(certificate.fingerprint);
    });

    it('as an answer, of all kinds', async () => {
      const { hit, resolve, time, line } = await openStage({ lruCacheDurationMs: 10_000 });
      line.lateMs = 4_000;
      for (const resolution of [
        found(),
        unchanged,
        { ...found(), keepMs: 11_000 },
        { kind: 'absent', tier: 'redis' },
        { kind: 'unavailable', reason: 'nobody', keepMs: 10_000 },
      ] as const) {
        await resolve(A, resolution);
        time.nowMs += 5_999;
        hit(A);
        time.nowMs += 1;
      }
      await resolve(A, { ...found(), keepMs: 5_000 });
      time.nowMs += 999;
      hit(A);
      time.nowMs += 1;
      line.lateMs = 20_000;
      expect(namesIn(await resolve(A, found()))).to.equal(A);
      await resolve(A, { kind: 'absent', tier: 'redis' });
      await resolve(A, found());
    });
  });
});
