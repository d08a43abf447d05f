/**
 * Each default certificate comes with the reason that it is served for.
 */
import { expect } from 'chai';
import { ProxyError } from '../../../lib/domain/errors.js';
import type { Resolution } from '../../../lib/domain/lookup.js';
import { A, B, CLIENT, issue, openStage } from './stage.js';

const unbuildable = async (): Promise<Resolution> => {
  const certificate = await issue(A);
  const pairs = certificate.pairs.map((pair) => ({ ...pair, keyPem: 'no key' }));
  return { kind: 'found', certificate: { ...certificate, pairs }, tier: 'redis' };
};

describe('The reason of a default certificate', () => {
  it('is that there is no server name, and nobody is asked', async () => {
    const { certificates, questions } = await openStage();
    expect(certificates.choose(undefined, CLIENT)).to.include({ tier: 'default', reason: 'no-server-name' });
    expect(questions).to.have.length(0);
  });

  it('is that the name is absent: as the primary says, then as the worker remembers', async () => {
    const { resolve, hit } = await openStage();
    expect(await resolve(A, { kind: 'absent', tier: 'redis' })).to.include({ reason: 'absent' });
    expect(hit(A)).to.include({ tier: 'default', reason: 'absent-cached' });
  });

  it('is that nobody could tell: as the primary says, then as the worker remembers', async () => {
    const { resolve, hit } = await openStage();
    const resolution = { kind: 'unavailable', reason: 'redis is down', keepMs: 5000 } as const;
    expect(await resolve(A, resolution)).to.include({ reason: 'unavailable' });
    expect(hit(A)).to.include({ tier: 'default', reason: 'unavailable-cached' });
  });

  const waits = [
    [undefined, 'pending'],
    ['sources-late', 'sources-late'],
    ['ordering', 'ordering'],
  ] as const;
  for (const [waitsFor, reason] of waits) {
    it(`is ${reason} where the primary says that the name is pending${waitsFor === undefined ? '' : `: ${waitsFor}`}`, async () => {
      const { resolve } = await openStage();
      const resolution = {
        kind: 'pending',
        reason: '',
        ...(waitsFor !== undefined && { waitsFor }),
      } as const;
      expect(await resolve(A, resolution)).to.include({ tier: 'default', reason });
    });
  }

  it('is that the primary is late: for the handshake that waits for it, and for those after it at once', async () => {
    const { certificates, questions, hit } = await openStage();
    const waiting = certificates.choose(A, CLIENT);
    questions[0]?.reply.reject(new ProxyError('ERR_BUS_DEADLINE', 'no answer'));
    expect(await waiting).to.include({ tier: 'default', reason: 'primary-late' });
    hit(B);
    expect(hit(B)).to.include({ tier: 'default', reason: 'primary-late' });
  });

  it('is that OpenSSL refuses what there is, also where the worker remembers that', async () => {
    const { certificates, questions, hit } = await openStage();
    const choice = certificates.choose(A, CLIENT);
    for (const at of [0, 1]) {
      questions[at]?.reply.resolve(await unbuildable());
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await choice).to.include({ tier: 'default', reason: 'refused-by-openssl' });
    expect(hit(A)).to.include({ tier: 'default', reason: 'refused-by-openssl' });
  });

  it('is nothing for a certificate of the name, from the primary or from the LRU', async () => {
    const { resolve, hit } = await openStage();
    const found = { kind: 'found', certificate: await issue(A), tier: 'redis' } as const;
    expect(await resolve(A, found)).not.to.have.property('reason');
    expect(hit(A)).to.include({ tier: 'lru' }).and.not.to.have.property('reason');
  });

  it('costs no object: a hit of the LRU, and a default for one reason, are the same each time', async () => {
    const { certificates, resolve, hit } = await openStage();
    await resolve(A, { kind: 'found', certificate: await issue(A), tier: 'redis' });
    await resolve(B, { kind: 'absent', tier: 'redis' });
    expect(hit(A)).to.equal(hit(A));
    expect(hit(B)).to.equal(hit(B));
    expect(certificates.choose(undefined, CLIENT)).to.equal(certificates.choose(undefined, CLIENT));
  });
});
