/** A client that can use no key of what a worker has. */
import { expect } from 'chai';
import type { CertificateBundle } from '../../../lib/domain/certificate.js';
import { examine } from '../../../lib/domain/examination.js';
import type { Resolution } from '../../../lib/domain/lookup.js';
import type { ChosenCertificate } from '../../../lib/tls/terminate.js';
import { craftWith, extension, u16, vector16 } from '../tls/client-hello-bytes.js';
import { A, ASKED, CLIENT, issue, issuePair, namesIn, openStage, START_MS } from './stage.js';

const TLS_1_3 = extension(43, Buffer.from([2, 3, 4]));
const clientWith = (...signatures: number[]): Buffer =>
  craftWith(TLS_1_3, extension(13, vector16(Buffer.concat(signatures.map(u16)))));
/** ecdsa_secp256r1_sha256 and rsa_pss_rsae_sha256, one of them, or Ed25519. */
const MODERN = clientWith(0x0403, 0x0804);
const RSA_ONLY = clientWith(0x0804);
const ECDSA_ONLY = clientWith(0x0403);
const NEITHER = clientWith(0x0807);

describe('A client that can use no key of the context', () => {
  let ec: CertificateBundle;
  let rsa: CertificateBundle;
  let both: CertificateBundle;
  before(async () => {
    ec = await issue(A);
    rsa = await issue(A, { type: 'rsa' });
    const pairs = [await issuePair([A]), await issuePair([A], { type: 'rsa' })];
    const verdict = examine(pairs, undefined, START_MS);
    if (verdict.kind === 'unusable') throw new Error(verdict.reason);
    both = verdict.bundle;
  });

  const found = (certificate: CertificateBundle): Resolution => ({
    kind: 'found',
    certificate,
    tier: 'redis',
  });

  /** A worker that has this. */
  async function holding(certificate: CertificateBundle) {
    const parts = await openStage();
    const { certificates, questions, resolve } = parts;
    await resolve(A, found(certificate));
    const choose = (hello: Buffer): ChosenCertificate | Promise<ChosenCertificate> =>
      certificates.choose(A, CLIENT, 0, hello);
    /** The handshake has to be answered at once. */
    const atOnce = (hello: Buffer): ChosenCertificate => {
      const choice = choose(hello);
      if (choice instanceof Promise) throw new Error('the primary was asked');
      return choice;
    };
    return { ...parts, choose, atOnce, last: () => questions.at(-1) };
  }

  it('is no reason to ask for one that can use it, or that can use no other', async () => {
    const { atOnce, questions } = await holding(ec);
    for (const hello of [MODERN, ECDSA_ONLY, NEITHER]) atOnce(hello);
    expect(questions).to.have.length(1);
    const other = await holding(rsa);
    for (const hello of [MODERN, RSA_ONLY, NEITHER]) other.atOnce(hello);
    const complete = await holding(both);
    for (const hello of [MODERN, RSA_ONLY, ECDSA_ONLY, NEITHER]) complete.atOnce(hello);
  });

  for (const [kind, hello, held] of [
    ['rsa', RSA_ONLY, () => ec],
    ['ecdsa', ECDSA_ONLY, () => rsa],
  ] as const) {
    it(`gets the ${kind} half from the primary, and after it everybody does`, async () => {
      const { choose, atOnce, last, questions } = await holding(held());
      const before = atOnce(MODERN);
      const [one, other] = [choose(hello), choose(hello)];
      // Clients that can use what is there do not wait.
      expect(atOnce(MODERN).context).to.equal(before.context);
      expect(questions).to.have.length(2);
      expect(last()?.params).to.deep.equal({
        ...{ name: A, phase: 'lookup', ...ASKED, wants: kind },
        fingerprint: held().fingerprint,
      });
      last()?.reply.resolve(found(both));
      const [first, second] = [await one, await other];
      expect(first.context).to.equal(second.context);
      for (const client of [hello, MODERN]) expect(atOnce(client).context).to.equal(first.context);
    });
  }

  it('is looked for in the handshake that has brought the name, too', async () => {
    const { certificates, questions } = await openStage();
    const choice = certificates.choose(A, CLIENT, 0, RSA_ONLY);
    questions[0]?.reply.resolve(found(ec));
    await new Promise((resolve) => setImmediate(resolve));
    expect(questions[1]?.params).to.include({ wants: 'rsa', fingerprint: ec.fingerprint });
    questions[1]?.reply.resolve(found(both));
    await choice;
    expect(certificates.choose(A, CLIENT, 0, RSA_ONLY)).to.have.property('context', (await choice).context);
  });

  it('that there is none is kept for lru_cache_duration, or less where the primary says so', async () => {
    for (const [noHalfMs, keptMs] of [
      [600_000, 60_000],
      [5_000, 5_000],
    ] as const) {
      const { choose, atOnce, last, time, questions } = await holding(ec);
      const waiting = choose(RSA_ONLY);
      last()?.reply.resolve({ kind: 'unchanged', tier: 'cache', noHalfMs });
      expect(namesIn(await waiting)).to.equal(A);
      time.nowMs += keptMs - 1;
      atOnce(RSA_ONLY);
      expect(questions).to.have.length(2);
      time.nowMs += 1;
      void choose(RSA_ONLY);
      expect(questions).to.have.length(3);
    }
  });

  it('is served what is there while the primary does not answer', async () => {
    const { choose, last, atOnce } = await holding(ec);
    const waiting = choose(RSA_ONLY);
    last()?.reply.reject(new Error('no answer'));
    expect((await waiting).context).to.equal(atOnce(MODERN).context);
  });

  it('is asked for anew once the name was expired, and the answer of before is not kept', async () => {
    const { certificates, choose, last, questions } = await holding(ec);
    const waiting = choose(RSA_ONLY);
    certificates.expire(A);
    last()?.reply.resolve(found(both));
    await waiting;
    void choose(RSA_ONLY);
    expect(questions.at(-1)?.params).not.to.have.property('wants');
  });
});

describe('A pair of which one half has expired', () => {
  it('is asked for anew, and the other half serves on', async () => {
    const { certificates, resolve, time, hit } = await openStage({ lruCacheDurationMs: 600_000 });
    const short = await issuePair([A], { notAfter: START_MS + 10_000 });
    const long = await issuePair([A], { type: 'rsa' });
    const verdict = examine([short, long], undefined, START_MS);
    const left = examine([long], undefined, START_MS);
    if (verdict.kind === 'unusable' || left.kind === 'unusable') throw new Error('unusable');
    await resolve(A, { kind: 'found', certificate: verdict.bundle, tier: 'redis' });
    time.nowMs += 9_999;
    hit(A);
    time.nowMs += 1;
    const { context } = await resolve(A, { kind: 'found', certificate: left.bundle, tier: 'cache' });
    expect(hit(A).context).to.equal(context);
    expect(certificates.choose(A, CLIENT, 0, RSA_ONLY)).to.have.property('context', context);
  });
});
