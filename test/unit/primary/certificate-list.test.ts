import { expect } from 'chai';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { KeptHalf } from '../../../lib/caches/pem-cache.js';
import { leafFactsOf } from '../../../lib/domain/leaf-facts.js';
import { listCertificates } from '../../../lib/primary/certificate-list.js';
import { makeTestCa, type TestCa } from '../../support/certificates.js';

const DAY_MS = 86_400_000;

describe('The list of certificates', () => {
  let ca: TestCa;
  const nowMs = Date.now();

  before(async () => {
    ca = await (await makeTestCa()).intermediate();
  });

  async function half(name: string, days: number, tier = 'redis'): Promise<KeptHalf> {
    const { chainPem } = await ca.issue([name], { notAfter: nowMs + days * DAY_MS });
    const { fingerprint: leafFingerprint, notAfterMs } = leafFactsOf(chainPem)!;
    return { tier, leafFingerprint, notAfterMs, leafPem: chainPem, intermediatesPem: '' };
  }

  it('has each certificate once, the soonest to end first, and says what it is', async () => {
    const [late, soon] = [await half('late.test', 60), await half('soon.test', 2)];
    const { certificates, more } = await listCertificates(
      { kept: [late, soon, { ...soon, tier: 'manager' }], directory: [], nowMs },
      {},
    );
    expect(more).to.equal(0);
    expect(certificates.map(({ names, sources, cachedFor }) => [names, sources, cachedFor])).to.deep.equal([
      [['soon.test'], ['redis', 'manager'], 2],
      [['late.test'], ['redis'], 1],
    ]);
    expect(certificates[0]).to.include({ issuer: 'Test Intermediate', key: 'EC P-256', chain: 'leads on' });
    expect(JSON.stringify(certificates)).not.to.contain('PRIVATE KEY');
  });

  it('has a certificate of the directory that is cached once, with its file, and leaves out what cannot be read', async () => {
    const cached = await half('a.test', 30, 'directory');
    const { certificates } = await listCertificates(
      {
        kept: [cached],
        directory: [
          { file: '/live/a', notAfterMs: cached.notAfterMs, read: () => Promise.resolve(cached.leafPem) },
          { file: '/live/b', notAfterMs: nowMs, read: () => Promise.reject(new Error('gone')) },
          { file: '/live/c', notAfterMs: nowMs, read: () => Promise.resolve('junk') },
        ],
        nowMs,
      },
      {},
    );
    expect(certificates.map(({ sources, cachedFor, file }) => [sources, cachedFor, file])).to.deep.equal([
      [['directory'], 1, '/live/a'],
    ]);
  });

  it('takes those alone that end within a time, and says how many are beyond the limit', async () => {
    const kept = await Promise.all([1, 2, 3, 40].map((days) => half(`d${days}.test`, days)));
    const list = await listCertificates({ kept, directory: [], nowMs }, { withinMs: 14 * DAY_MS, limit: 2 });
    expect([list.certificates.map(({ names }) => names[0]), list.more]).to.deep.equal([
      ['d1.test', 'd2.test'],
      1,
    ]);
  });

  it('reads a directory that does not answer once', async () => {
    let reads = 0;
    const directory = [1, 2, 3].map((number) => ({
      file: `/live/${number}`,
      notAfterMs: nowMs,
      read: () => {
        reads += 1;
        return new Promise<string>(() => undefined);
      },
    }));
    const { certificates } = await listCertificates({ kept: [], directory, nowMs }, {});
    expect([reads, certificates]).to.deep.equal([1, []]);
  });

  it('lets the event loop turn while thousands are read', async () => {
    const one = await half('a.test', 30);
    // Each by another fingerprint, so that each is parsed.
    const kept = Array.from({ length: 3_000 }, (_, index) => ({ ...one, leafFingerprint: String(index) }));
    const list = { isDone: false, turns: 0 };
    const turning = (async () => {
      for (; !list.isDone; list.turns += 1) await nextTurn();
    })();
    await listCertificates({ kept, directory: [], nowMs }, { limit: 3_000 });
    list.isDone = true;
    await turning;
    // Parsing them takes more than a hundred milliseconds anywhere, and holds the loop for five at a time.
    expect(list.turns).to.be.greaterThan(20);
  });
});
