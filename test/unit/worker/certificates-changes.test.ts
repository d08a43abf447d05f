import { expect } from 'chai';
import { generateKeyPairSync } from 'node:crypto';
import type { CertificateBundle, CertificatePair } from '../../../lib/domain/certificate.js';
import type { Resolution } from '../../../lib/domain/lookup.js';
import type { ChosenCertificate } from '../../../lib/tls/terminate.js';
import { settled } from '../../support/manual-time.js';
import { mintLeaf } from '../../../lib/pki/mint.js';
import {
  A,
  authority,
  B,
  bundleOf,
  C,
  CLIENT,
  issue,
  issuePair,
  makeSettings,
  namesIn,
  serialIn,
  serialOf,
  openStage,
  START_MS,
  ticketKey,
  ticketKeyIn,
} from './stage.js';

/** A pair that is right in every way, but OpenSSL serves no key this small. */
async function weakPair(name: string): Promise<CertificatePair> {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 512 });
  const privateKeyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return mintLeaf({
    names: [name],
    key: { publicKey, privateKey, privateKeyPem },
    issuer: (await authority()).authority,
    notBeforeMs: START_MS - 86_400_000,
    notAfterMs: START_MS + 86_400_000,
  });
}

describe("A worker's certificates", () => {
  let certificate: CertificateBundle;
  let renewed: CertificateBundle;
  let ofB: CertificateBundle;

  before(async () => {
    [certificate, renewed, ofB] = await Promise.all([issue(A), issue(A), issue(B)]);
  });

  const found = (bundle = certificate) => ({ kind: 'found', certificate: bundle, tier: 'redis' }) as const;
  const defaultOf = (choice: ChosenCertificate | Promise<ChosenCertificate>) =>
    namesIn(choice as ChosenCertificate);

  describe('on new settings', () => {
    it('are all asked for again, and follow the new default and durations', async () => {
      const { certificates, resolve, hit, time, questions } = await openStage();
      const first = await resolve(A, found());
      await resolve(B, { kind: 'absent', tier: 'redis' });
      certificates.configure(
        await makeSettings({
          defaultPairs: [await issuePair(['new-default.test'])],
          lruCacheDurationMs: 1_000,
        }),
      );
      expect(defaultOf(certificates.choose(undefined, CLIENT))).to.equal('new-default.test');
      await resolve(B, found(ofB));
      expect((await resolve(A, { kind: 'unchanged', tier: 'cache' })).context).to.equal(first.context);
      expect(questions.at(-1)?.params.fingerprint).to.equal(certificate.fingerprint);
      time.nowMs += 999;
      hit(A);
      time.nowMs += 1;
      await resolve(A, found());
    });

    it('have the new bounds', async () => {
      const { certificates, resolve } = await openStage();
      certificates.configure(await makeSettings({ lruMaxItems: 1 }));
      await resolve(A, found());
      await resolve(B, found(ofB));
      expect(certificates.size).to.equal(1);
    });

    it('keep no answer to a question from before, and let nobody join that question', async () => {
      const { certificates, questions, hit } = await openStage();
      const before = certificates.choose(A, CLIENT);
      certificates.configure(await makeSettings());
      const after = certificates.choose(A, CLIENT);
      expect(questions).to.have.length(2);
      questions[1]?.reply.resolve(found(renewed));
      expect(serialIn(await after)).to.equal(serialOf(renewed));
      questions[0]?.reply.resolve(found());
      expect(serialIn(await before)).to.equal(serialOf(certificate));
      expect(serialIn(hit(A))).to.equal(serialOf(renewed));
    });

    it('stay as they were when the new default cannot be served', async () => {
      const { certificates, resolve, hit, time } = await openStage();
      await resolve(A, found());
      const bad = await makeSettings({ defaultPairs: [await weakPair('weak.test')], lruCacheDurationMs: 1 });
      expect(() => certificates.configure(bad)).to.throw(/key too small/);
      expect(() => certificates.configure({ ...bad, defaultPairs: [] })).to.throw('default certificate: ');
      expect(defaultOf(certificates.choose(undefined, CLIENT))).to.equal('default.invalid');
      hit(A);
      await resolve(B, found(ofB));
      time.nowMs += 59_000;
      hit(B);
    });
  });

  describe('of which some have changed', () => {
    it('are asked for again, those below a wildcard too, absent ones and certificates alike, and no other', async () => {
      const { certificates, resolve, hit } = await openStage();
      await resolve(A, found());
      await resolve(B, found(ofB));
      await resolve(C, { kind: 'absent', tier: 'redis' });
      certificates.makeStale([A, '*.test' as typeof A]);
      await resolve(A, found(renewed));
      certificates.makeStale([A, C]);
      hit(B);
      await resolve(C, { kind: 'absent', tier: 'redis' });
      expect(serialIn(await resolve(A, { kind: 'unchanged', tier: 'cache' }))).to.equal(serialOf(renewed));
    });

    it('come from below a wildcard too, at one label', async () => {
      const [one, two] = ['www.a.test', 'x.www.a.test'] as [typeof A, typeof A];
      const { certificates, resolve, hit } = await openStage();
      await resolve(one, { kind: 'absent', tier: 'redis' });
      await resolve(two, { kind: 'absent', tier: 'redis' });
      certificates.makeStale(['*.a.test' as typeof A]);
      await resolve(one, { kind: 'absent', tier: 'redis' });
      hit(two);
    });
  });

  describe('on an expire', () => {
    it('forget that name, certificate or none, and no other', async () => {
      const { certificates, resolve, hit, questions } = await openStage();
      await resolve(A, found());
      await resolve(B, found(ofB));
      await resolve(C, { kind: 'absent', tier: 'redis' });
      certificates.expire(A);
      certificates.expire(C);
      hit(B);
      await resolve(A, { kind: 'absent', tier: 'redis' });
      expect(questions.at(-1)?.params, 'no fingerprint').to.not.have.property('fingerprint');
      await resolve(C, { kind: 'absent', tier: 'redis' });
    });

    it('of everything forget everything', async () => {
      const { certificates, resolve } = await openStage();
      await resolve(A, found());
      await resolve(B, { kind: 'unavailable', reason: 'down', keepMs: 5_000 });
      certificates.expire(undefined);
      expect(certificates.size).to.equal(0);
      await resolve(A, found());
      await resolve(B, found(ofB));
    });

    for (const [of, name] of [
      ['one name', A],
      ['everything', undefined],
    ] as const) {
      it(`of ${of} keep no answer to a question from before, and let nobody join it`, async () => {
        const { certificates, questions, resolve } = await openStage();
        const before = certificates.choose(A, CLIENT);
        certificates.expire(name);
        const after = certificates.choose(A, CLIENT);
        expect(questions).to.have.length(2);
        questions[0]?.reply.resolve(found());
        expect(namesIn(await before)).to.equal(A);
        expect(certificates.size).to.equal(0);
        questions[1]?.reply.resolve({ kind: 'absent', tier: 'redis', keepMs: 0 });
        expect(await after).to.include({ tier: 'default' });
        await resolve(A, found());
      });
    }

    for (const stale of [
      { kind: 'absent', tier: 'redis' },
      { kind: 'unavailable', reason: 'down', keepMs: 5_000 },
      { kind: 'pending', reason: 'slow' },
    ] as const) {
      it(`do not lose the newer certificate to an older question that ends ${stale.kind}`, async () => {
        const { certificates, questions, hit } = await openStage();
        const before = certificates.choose(A, CLIENT);
        certificates.expire(A);
        const after = certificates.choose(A, CLIENT);
        questions[1]?.reply.resolve(found(renewed));
        await after;
        questions[0]?.reply.resolve(stale);
        expect(await before).to.include({ tier: 'default' });
        expect(serialIn(hit(A))).to.equal(serialOf(renewed));
      });
    }
  });

  it('do not take an older answer for one about the newer certificate', async () => {
    const { certificates, questions, resolve, hit, time } = await openStage();
    await resolve(A, found());
    time.nowMs += 60_000;
    const before = certificates.choose(A, CLIENT);
    certificates.expire(A);
    await resolve(A, { ...found(renewed), keepMs: 1_000 });
    questions[1]?.reply.resolve({ kind: 'unchanged', tier: 'cache' });
    expect(serialIn(await before)).to.equal(serialOf(certificate));
    time.nowMs += 999;
    hit(A);
    time.nowMs += 1;
    await resolve(A, found(renewed));
  });

  it('let handshakes join the newer question when an older one has ended', async () => {
    const { certificates, questions } = await openStage();
    const before = certificates.choose(A, CLIENT);
    certificates.expire(A);
    const after = certificates.choose(A, CLIENT);
    questions[0]?.reply.resolve(found());
    await before;
    const joined = certificates.choose(A, CLIENT);
    expect(questions).to.have.length(2);
    questions[1]?.reply.resolve(found(renewed));
    expect((await joined).context).to.equal((await after).context);
  });

  describe('on new ticket keys', () => {
    it('have them in every context, the default and lapsed ones included, and build none anew', async () => {
      const { certificates, resolve, hit, time } = await openStage();
      const first = await resolve(A, found());
      const other = await resolve(B, { ...found(ofB), keepMs: 1_000 });
      const fallback = certificates.choose(undefined, CLIENT) as ChosenCertificate;
      for (const choice of [first, other, fallback]) expect(ticketKeyIn(choice)).to.equal(ticketKey(1));
      time.nowMs += 1_000;
      certificates.setTicketKeys([ticketKey(2), ticketKey(1)]);
      for (const choice of [first, other, fallback]) expect(ticketKeyIn(choice)).to.equal(ticketKey(2));
      expect(hit(A).context).to.equal(first.context);
      expect((await resolve(B, { kind: 'unchanged', tier: 'cache' })).context).to.equal(other.context);
    });

    it('give them to what is built later, and take those of new settings', async () => {
      const { certificates, resolve } = await openStage();
      certificates.setTicketKeys([ticketKey(2), ticketKey(1)]);
      expect(ticketKeyIn(await resolve(A, found()))).to.equal(ticketKey(2));
      certificates.configure(await makeSettings({ ticketKeys: [ticketKey(3)] }));
      expect(ticketKeyIn(certificates.choose(undefined, CLIENT) as ChosenCertificate)).to.equal(ticketKey(3));
      expect(ticketKeyIn(await resolve(A, found()))).to.equal(ticketKey(3));
    });
  });

  describe('with a key that OpenSSL does not serve', () => {
    let weak: CertificateBundle;
    before(async () => {
      weak = bundleOf(await weakPair(A));
    });

    /** Makes a handshake to which the primary says this, and then that. */
    const resolveTwice = async (
      { certificates, questions }: Awaited<ReturnType<typeof openStage>>,
      first: Resolution,
      second: Resolution,
    ): Promise<ChosenCertificate> => {
      const from = questions.length;
      const choice = certificates.choose(A, CLIENT);
      questions[from]?.reply.resolve(first);
      await settled();
      questions[from + 1]?.reply.resolve(second);
      return choice;
    };

    it('report it to the primary, which has another one', async () => {
      const parts = await openStage();
      const choice = await resolveTwice(parts, found(weak), found());
      expect(serialIn(choice)).to.equal(serialOf(certificate));
      expect(serialIn(parts.hit(A))).to.equal(serialOf(certificate));
      expect(parts.questions[1]?.params.refused?.fingerprint).to.equal(weak.fingerprint);
      expect(parts.questions[1]?.params.refused?.reason).to.match(/key too small/);
    });

    it('are what the primary says when it has no other one', async () => {
      const parts = await openStage();
      const none = { kind: 'unavailable', reason: 'refused', keepMs: 5_000 } as const;
      expect(await resolveTwice(parts, found(weak), none)).to.include({ tier: 'default' });
      expect(parts.hit(A)).to.include({ tier: 'default' });
    });

    it('are the default where the primary insists, and try again after the time of an error only', async () => {
      const parts = await openStage();
      const { resolve, hit, time, lines, certificates } = parts;
      expect(await resolveTwice(parts, found(weak), found(weak))).to.include({ tier: 'default' });
      expect(lines[0]?.message).to.equal('certificate cannot be served');
      expect(lines[0]?.fields).to.include({ name: A, tier: 'redis' });
      expect(lines[0]?.fields['error']).to.match(/key too small/);
      expect(JSON.stringify(lines)).to.not.include('PRIVATE KEY');
      time.nowMs += 4_999;
      expect(hit(A)).to.include({ tier: 'default' });
      expect(lines).to.have.length(2);
      time.nowMs += 1;
      expect(namesIn(await resolve(A, found()))).to.equal(A);
      expect(certificates.size).to.equal(1);
    });

    it('do not remember it when they have been emptied since the question', async () => {
      const { certificates, questions, resolve } = await openStage();
      const before = certificates.choose(A, CLIENT);
      certificates.expire(A);
      questions[0]?.reply.resolve(found(weak));
      await settled();
      questions[1]?.reply.resolve(found(weak));
      expect(await before).to.include({ tier: 'default' });
      await resolve(A, found());
    });

    it('serve it no better as the last good one, and the order that comes to its end replaces it', async () => {
      const { certificates, questions, hit } = await openStage();
      const starter = certificates.choose(A, CLIENT);
      questions[0]?.reply.resolve({ kind: 'pending', reason: 'order', starter: true, lastGood: found(weak) });
      expect(await certificates.choose(A, CLIENT)).to.include({ tier: 'default' });
      questions[1]?.reply.resolve(found(renewed));
      expect(serialIn(await starter)).to.equal(serialOf(renewed));
      expect(serialIn(hit(A))).to.equal(serialOf(renewed));
    });

    it('do not start with it as the default', async () => {
      const defaultPairs = [await weakPair('weak.test')];
      const outcome = await openStage({ defaultPairs }).then(() => 'started', String);
      expect(outcome).to.match(/key too small/);
    });
  });
});
