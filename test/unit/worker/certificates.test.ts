import { expect } from 'chai';
import type { CertificateBundle } from '../../../lib/domain/certificate.js';
import { ProxyError } from '../../../lib/domain/errors.js';
import type { ChosenCertificate } from '../../../lib/tls/terminate.js';
import { settled } from '../../support/manual-time.js';
import { A, ASKED, B, C, CLIENT, issue, namesIn, serialIn, serialOf, openStage } from './stage.js';

const late = new ProxyError('ERR_BUS_DEADLINE', 'no answer within 2250 ms');

describe("A worker's choice of the certificate", () => {
  let certificate: CertificateBundle;
  let renewed: CertificateBundle;

  before(async () => {
    [certificate, renewed] = await Promise.all([issue(A), issue(A)]);
  });

  const found = (bundle = certificate) => ({ kind: 'found', certificate: bundle, tier: 'redis' }) as const;

  it('is the default, and nobody is asked, without a valid server name', async () => {
    const { certificates, questions } = await openStage();
    const choice = certificates.choose(undefined, CLIENT);
    expect(choice).to.include({ tier: 'default' });
    expect(namesIn(choice as ChosenCertificate)).to.equal('default.invalid');
    expect(questions).to.deep.equal([]);
  });

  it('is asked of the primary once, and from then on known at once', async () => {
    const { time, questions, resolve, hit, certificates } = await openStage();
    const first = await resolve(A, found());
    expect(first.tier).to.equal('redis');
    expect(namesIn(first)).to.equal(A);
    expect(questions.map(({ params }) => params)).to.deep.equal([{ name: A, phase: 'lookup', ...ASKED }]);
    expect(questions[0]?.deadlineMs).to.be.greaterThan(2_000).and.lessThan(5_000);
    time.nowMs += 59_999;
    expect(hit(A)).to.deep.include({ tier: 'lru' });
    expect(hit(A).context).to.equal(first.context);
    expect(certificates.size).to.equal(1);
  });

  it('is asked again when it has lapsed, with the fingerprint of what is there', async () => {
    const { time, questions, resolve, hit } = await openStage();
    await resolve(A, found());
    time.nowMs += 60_000;
    const next = await resolve(A, found(renewed));
    expect(questions[1]?.params).to.deep.equal({
      name: A,
      phase: 'lookup',
      ...ASKED,
      fingerprint: certificate.fingerprint,
    });
    expect(serialIn(next)).to.equal(serialOf(renewed));
    expect(hit(A).context).to.equal(next.context);
  });

  it('stays the very same context when the primary says that nothing has changed', async () => {
    const { time, resolve, hit } = await openStage();
    const first = await resolve(A, found());
    time.nowMs += 60_000;
    const again = await resolve(A, { kind: 'unchanged', tier: 'cache' });
    expect(again).to.deep.equal({ context: first.context, tier: 'cache' });
    expect(again.context).to.equal(first.context);
    time.nowMs += 59_999;
    expect(hit(A).context).to.equal(first.context);
    time.nowMs += 1;
    await resolve(A, { kind: 'unchanged', tier: 'cache' });
  });

  it('is the default if the primary calls unchanged what the worker does not have', async () => {
    const { resolve, certificates } = await openStage();
    expect(await resolve(A, { kind: 'unchanged', tier: 'cache' })).to.include({ tier: 'default' });
    expect(certificates.size).to.equal(0);
  });

  describe('is kept', () => {
    it('no longer than the primary says', async () => {
      const { time, resolve, hit } = await openStage();
      await resolve(A, { ...found(), keepMs: 700 });
      time.nowMs += 699;
      hit(A);
      time.nowMs += 1;
      await resolve(A, { kind: 'unchanged', tier: 'cache', keepMs: 300 });
      time.nowMs += 299;
      hit(A);
      time.nowMs += 1;
      await resolve(A, { kind: 'unchanged', tier: 'cache' });
    });

    it('no longer than its own time when the primary would allow more', async () => {
      const { time, resolve, hit } = await openStage({ lruCacheDurationMs: 1_000 });
      await resolve(A, { ...found(), keepMs: 5_000 });
      time.nowMs += 999;
      hit(A);
      time.nowMs += 1;
      await resolve(A, { kind: 'unchanged', tier: 'cache' });
    });

    it('not at all when the primary says so', async () => {
      const { resolve, certificates } = await openStage();
      expect(namesIn(await resolve(A, { ...found(), keepMs: 0 }))).to.equal(A);
      expect(certificates.size).to.equal(0);
      await resolve(A, { kind: 'absent', tier: 'redis', keepMs: 0 });
      await resolve(A, { ...found(), keepMs: 0 });
    });

    it('not beyond its end, found or unchanged', async () => {
      const { time, resolve, hit } = await openStage();
      const ending = await issue(A, { notAfter: time.nowMs + 90_000 });
      await resolve(A, found(ending));
      time.nowMs += 60_000;
      await resolve(A, { kind: 'unchanged', tier: 'cache' });
      time.nowMs += 29_999;
      hit(A);
      time.nowMs += 1;
      await resolve(A, found(renewed));

      const short = await issue(B, { notAfter: time.nowMs + 5_000 });
      await resolve(B, found(short));
      time.nowMs += 4_999;
      hit(B);
      time.nowMs += 1;
      await resolve(B, found(short));
    });

    it('for the time that the primary gives it when it has ended already: there is no better one', async () => {
      const { time, resolve, hit } = await openStage();
      const ended = await issue(A, { notAfter: time.nowMs - 1_000 });
      await resolve(A, { ...found(ended), keepMs: 5_000 });
      time.nowMs += 4_999;
      hit(A);
      time.nowMs += 1;
      await resolve(A, { kind: 'unchanged', tier: 'cache', keepMs: 5_000 });
      hit(A);
    });

    it('for the most recently used names only, counting names', async () => {
      const { resolve, hit, certificates } = await openStage({ lruMaxItems: 2 });
      const [b, c] = await Promise.all([issue(B), issue(C)]);
      await resolve(A, found());
      await resolve(B, found(b));
      expect(certificates.size).to.equal(2);
      hit(A);
      await resolve(C, found(c));
      expect(certificates.size).to.equal(2);
      hit(A);
      hit(C);
      await resolve(B, found(b));
    });
  });

  describe('is the default, and that is remembered,', () => {
    it('for a name without a certificate: for the time of a certificate, or less', async () => {
      const { time, resolve, hit } = await openStage();
      expect(await resolve(A, { kind: 'absent', tier: 'redis' })).to.include({ tier: 'default' });
      time.nowMs += 59_999;
      expect(hit(A)).to.include({ tier: 'default' });
      time.nowMs += 1;
      await resolve(A, { kind: 'absent', tier: 'redis', keepMs: 100 });
      time.nowMs += 99;
      expect(namesIn(hit(A))).to.equal('default.invalid');
      time.nowMs += 1;
      await resolve(A, found());
      expect(namesIn(hit(A))).to.equal(A);
    });

    it('when nobody can tell: for the time that the primary says', async () => {
      const { time, resolve, hit } = await openStage();
      await resolve(A, { kind: 'unavailable', reason: 'redis is down', keepMs: 5_000 });
      time.nowMs += 4_999;
      expect(hit(A)).to.include({ tier: 'default' });
      time.nowMs += 1;
      await resolve(A, found());
    });

    for (const resolution of [
      { kind: 'absent', tier: 'redis' },
      { kind: 'unavailable', reason: 'redis is down', keepMs: 5_000 },
    ] as const) {
      it(`even where a lapsed certificate is left, after ${resolution.kind}: the primary would have sent a last good one`, async () => {
        const { time, resolve, hit, certificates } = await openStage();
        await resolve(A, found());
        time.nowMs += 60_000;
        expect(await resolve(A, resolution)).to.include({ tier: 'default' });
        expect(hit(A)).to.include({ tier: 'default' });
        expect(certificates.size).to.equal(0);
      });
    }

    it('without pushing out a certificate, however many such names there are', async () => {
      const { resolve, hit } = await openStage({ lruMaxItems: 1, negativeMaxItems: 2 });
      await resolve(A, found());
      for (const name of [B, C, 'd.test', 'e.test'] as (typeof B)[]) {
        await resolve(name, { kind: 'absent', tier: 'redis' });
      }
      hit(A);
      await resolve(B, { kind: 'absent', tier: 'redis' });
    });
  });

  describe('when the primary does not answer', () => {
    const ANSWERS_NOT =
      'the primary does not answer: certificates at hand are served on, other names get the default';

    it('is the stale certificate, and the log says why', async () => {
      const { time, resolve, certificates, questions, lines } = await openStage();
      const first = await resolve(A, found());
      time.nowMs += 60_000;
      const choice = certificates.choose(A, CLIENT);
      questions[1]?.reply.reject(late);
      expect(await choice).to.deep.equal({ context: first.context, tier: 'lru' });
      expect(lines).to.deep.equal([
        { message: ANSWERS_NOT, fields: { code: 'ERR_BUS_DEADLINE', error: late.message } },
      ]);
    });

    it('is the stale certificate after the time of a refresh: the answer is waited for behind the handshake', async () => {
      const { time, resolve, hit, certificates, questions, lines } = await openStage({
        refreshTimeoutMs: 100,
      });
      const first = await resolve(A, found());
      time.nowMs += 60_000;
      const choice = certificates.choose(A, CLIENT);
      await time.advance(350);
      expect(await choice).to.deep.equal({ context: first.context, tier: 'lru' });
      questions[1]?.reply.resolve(found(renewed));
      await settled();
      expect(serialIn(hit(A))).to.equal(serialOf(renewed));
      expect(lines).to.deep.equal([]);
    });

    it('is the default for a name that is not known, and nothing of it is kept', async () => {
      const { certificates, questions, lines, time, resolve } = await openStage();
      const choice = certificates.choose(A, CLIENT);
      questions[0]?.reply.reject(new Error('whatever'));
      expect(await choice).to.include({ tier: 'default' });
      expect(lines[0]?.fields).to.include({ code: 'ERR_INTERNAL', error: 'whatever' });
      time.nowMs += 1_000;
      void certificates.choose(A, CLIENT);
      questions[1]?.reply.resolve({ kind: 'pending', reason: 'wait' });
      await settled();
      await resolve(A, found());
    });

    it('makes nobody wait for it again until it answers, asks once a second, and says so once', async () => {
      const { certificates, questions, lines, notices, time, resolve, hit } = await openStage();
      const first = await resolve(A, found());
      time.nowMs += 60_000;
      const waiting = certificates.choose(B, CLIENT);
      questions[1]?.reply.reject(late);
      expect(await waiting).to.include({ tier: 'default' });

      for (let i = 0; i < 100; i++) {
        time.nowMs += 9;
        expect(hit(A)).to.deep.equal({ context: first.context, tier: 'lru' });
        expect(hit(B)).to.include({ tier: 'default' });
      }
      expect(questions).to.have.length(2);
      time.nowMs += 100;
      hit(A);
      expect(questions).to.have.length(3);
      questions[2]?.reply.reject(late);
      await settled();
      hit(A);
      expect(questions).to.have.length(3);
      time.nowMs += 1_000;
      hit(A);
      questions[3]?.reply.resolve(found(renewed));
      await settled();
      expect(serialIn(hit(A))).to.equal(serialOf(renewed));
      await resolve(B, { kind: 'absent', tier: 'redis' });
      expect(lines.map(({ message }) => message)).to.deep.equal([ANSWERS_NOT]);
      expect(notices).to.deep.equal(['the primary answers again']);
    });

    it('asks once for all who wait, and all get the same', async () => {
      const { certificates, questions, lines } = await openStage();
      const choices = [1, 2, 3].map(async () => certificates.choose(A, CLIENT));
      questions[0]?.reply.reject(late);
      for (const choice of await Promise.all(choices)) expect(choice).to.include({ tier: 'default' });
      expect(questions).to.have.length(1);
      expect(lines).to.have.length(1);
    });
  });

  it('is asked once a name for five hundred handshakes at once', async () => {
    const { certificates, questions } = await openStage();
    const choices = Array.from({ length: 500 }, async () => certificates.choose(A, CLIENT));
    const other = certificates.choose(B, CLIENT);
    await settled();
    expect(questions.map(({ params }) => params.name)).to.deep.equal([A, B]);
    questions[0]?.reply.resolve(found());
    questions[1]?.reply.resolve({ kind: 'absent', tier: 'redis' });
    const contexts = new Set((await Promise.all(choices)).map(({ context }) => context));
    expect(contexts.size).to.equal(1);
    expect(await other).to.include({ tier: 'default' });
    expect(certificates.choose(A, CLIENT)).to.include({ tier: 'lru' });
  });
});
