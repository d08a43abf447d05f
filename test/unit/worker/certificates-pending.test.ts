import { expect } from 'chai';
import type { CertificateBundle } from '../../../lib/domain/certificate.js';
import { ProxyError } from '../../../lib/domain/errors.js';
import { settled } from '../../support/manual-time.js';
import { A, ASKED, CLIENT, issue, namesIn, serialIn, serialOf, openStage } from './stage.js';

const WAIT = { kind: 'pending', reason: 'the sources have not answered in time' } as const;
const START = { kind: 'pending', reason: 'a certificate is being ordered', starter: true } as const;

describe("A worker's choice while the answer is pending", () => {
  let certificate: CertificateBundle;
  let renewed: CertificateBundle;

  before(async () => {
    [certificate, renewed] = await Promise.all([issue(A), issue(A)]);
  });

  const found = (bundle = certificate) => ({ kind: 'found', certificate: bundle, tier: 'manager' }) as const;

  it('is the default, and the next handshake asks again', async () => {
    const { resolve, certificates, questions } = await openStage();
    expect(await resolve(A, WAIT)).to.include({ tier: 'default' });
    expect(questions).to.have.length(1);
    await resolve(A, WAIT);
    expect(namesIn(await resolve(A, found()))).to.equal(A);
    expect(certificates.size).to.equal(1);
  });

  it('is the last good certificate where the primary has one, for this handshake only', async () => {
    const { resolve, certificates } = await openStage();
    const choice = await resolve(A, { ...WAIT, lastGood: found() });
    expect(choice).to.include({ tier: 'cache' });
    expect(serialIn(choice)).to.equal(serialOf(certificate));
    expect(certificates.size).to.equal(0);
    await resolve(A, WAIT);
  });

  it('is the lapsed certificate when that is the last good one, for this handshake only', async () => {
    const { time, resolve, questions } = await openStage();
    const first = await resolve(A, found());
    time.nowMs += 60_000;
    const choice = await resolve(A, { ...WAIT, lastGood: { kind: 'unchanged' } });
    expect(choice).to.deep.equal({ context: first.context, tier: 'lru' });
    await resolve(A, { ...WAIT, lastGood: found(renewed) });
    await resolve(A, { kind: 'unchanged', tier: 'cache' });
    expect(questions.map(({ params }) => params.fingerprint)).to.deep.equal([
      undefined,
      certificate.fingerprint,
      certificate.fingerprint,
      certificate.fingerprint,
    ]);
  });

  it('is the default, whatever has lapsed here, where the primary has no last good one', async () => {
    const { time, resolve } = await openStage();
    await resolve(A, found());
    time.nowMs += 60_000;
    expect(await resolve(A, WAIT)).to.include({ tier: 'default' });
  });

  describe('on an order', () => {
    it('waits with the one who started it, longer, and gives the others the default at once', async () => {
      const { certificates, questions, hit } = await openStage();
      const starter = Promise.resolve(certificates.choose(A, CLIENT));
      const others = [1, 2].map(async () => certificates.choose(A, CLIENT));
      questions[0]?.reply.resolve(START);
      for (const choice of await Promise.all(others)) expect(choice).to.include({ tier: 'default' });

      expect(questions.map(({ params }) => params)).to.deep.equal([
        { name: A, phase: 'lookup', ...ASKED },
        { name: A, phase: 'order', ...ASKED },
      ]);
      expect(questions[1]?.deadlineMs).to.be.greaterThan(30_000).and.lessThan(33_000);
      questions[1]?.reply.resolve(found());
      const choice = await starter;
      expect(choice).to.include({ tier: 'manager' });
      expect(namesIn(choice)).to.equal(A);
      expect(hit(A).context).to.equal(choice.context);
    });

    it('asks for those who come later by themselves: they do not wait with the starter', async () => {
      const { certificates, questions } = await openStage();
      const starter = certificates.choose(A, CLIENT);
      questions[0]?.reply.resolve(START);
      await settled();
      const later = certificates.choose(A, CLIENT);
      expect(questions.map(({ params }) => params.phase)).to.deep.equal(['lookup', 'order', 'lookup']);
      questions[2]?.reply.resolve(WAIT);
      expect(await later).to.include({ tier: 'default' });
      questions[1]?.reply.resolve({ kind: 'absent', tier: 'manager', keepMs: 1_000 });
      expect(await starter).to.include({ tier: 'default' });
    });

    it('waits with nobody where there is a last good certificate', async () => {
      const { resolve, questions } = await openStage();
      expect(namesIn(await resolve(A, { ...START, lastGood: found() }))).to.equal(A);
      expect(questions).to.have.length(1);
    });

    it('takes the end of the order as it comes: pending once more, no certificate, no answer', async () => {
      const { certificates, questions, lines, time } = await openStage();
      const endWith = async (end: (index: number) => void) => {
        const choice = certificates.choose(A, CLIENT);
        const index = questions.length;
        questions[index - 1]?.reply.resolve(START);
        await settled();
        end(index);
        expect(await choice).to.include({ tier: 'default' });
        expect(questions).to.have.length(index + 1);
      };
      await endWith((index) => questions[index]?.reply.resolve(WAIT));
      // Even if it is called the starter again it does not ask for ever.
      await endWith((index) => questions[index]?.reply.resolve(START));
      await endWith((index) =>
        questions[index]?.reply.resolve({ kind: 'unavailable', reason: 'refused', keepMs: 100 }),
      );
      expect(certificates.choose(A, CLIENT)).to.include({ tier: 'default' });
      time.nowMs += 100;
      await endWith((index) => questions[index]?.reply.reject(new ProxyError('ERR_BUS_CLOSED', 'gone')));
      expect(lines.map(({ fields }) => fields['code'])).to.deep.equal(['ERR_BUS_CLOSED']);
    });
  });
});
