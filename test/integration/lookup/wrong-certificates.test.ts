/**
 * Certificates that must not be served, or only for want of a better one. The next source is asked, and the log says why.
 */
import { expect } from 'chai';
import type { CertificatePair } from '../../../lib/domain/certificate.js';
import { startProgram, type Program } from '../../support/program.js';
import { openStage, prime2, type Stage } from '../../support/stage.js';
import { eventuallyServes, fingerprintOf, visit } from '../../support/visit.js';

const YESTERDAY = Date.now() - 86_400_000;
const TOMORROW = Date.now() + 86_400_000;

describe('A wrong certificate', () => {
  let stage: Stage;
  let program: Program;
  before(async () => {
    stage = await openStage();
    program = await startProgram([
      ...[...stage.redisFlags(2), ...stage.managerFlags],
      ...['--error-cache-duration', '0.3', '--lru-cache-duration', '0.1'],
    ]);
  });
  after(async () => {
    await program[Symbol.asyncDispose]();
    await stage.close();
  });

  /** Two pairs, each with the key of the other. */
  const swapped = async (name: string): Promise<CertificatePair> => ({
    chainPem: (await stage.ca.issue([name])).chainPem,
    keyPem: (await stage.ca.issue([name])).keyPem,
  });
  const WRONG: Record<string, { make: (name: string) => Promise<CertificatePair>; reason: RegExp }> = {
    'for another name': {
      make: () => stage.ca.issue(['somebody-else.test']),
      reason: /^the certificate is not for this name but for somebody-else\.test$/,
    },
    'with a key of another': {
      make: swapped,
      reason: /^the private key does not belong to the certificate$/,
    },
    'that is no PEM': {
      make: async (name) => ({
        ...(await stage.ca.issue([name])),
        chainPem: '-----BEGIN CERTIFICATE-----\nbm9uZQ==\n-----END CERTIFICATE-----\n',
      }),
      reason: /^a certificate of the chain cannot be parsed$/,
    },
  };

  for (const [index, [what, { make, reason }]] of Object.entries(WRONG).entries()) {
    it(`in Redis, ${what}: the manager's is served, and the log says why`, async () => {
      const name = `redis-${index}.test`;
      const right = await stage.ca.issue([name]);
      await prime2(stage.redis, name, await make(name));
      stage.manager.setCertificate(name, right);
      expect(await visit(program, name)).to.include({ tier: 'manager', fingerprint: fingerprintOf(right) });
      const line = await program.logged('certificate of redis is unusable', { name });
      expect(line.level).to.equal('err');
      expect(line['reason']).to.match(reason);
    });

    it(`from the manager, ${what}: the default, and not remembered as absent`, async () => {
      const name = `manager-${index}.test`;
      const right = await stage.ca.issue([name]);
      stage.manager.setCertificate(name, await make(name));
      expect((await visit(program, name)).tier).to.equal('default');
      const line = await program.logged('certificate of manager is unusable', { name });
      expect(line['reason']).to.match(reason);
      stage.manager.setCertificate(name, right);
      await eventuallyServes(program, name, right);
    });
  }

  it('from the manager, an answer about another domain: refused, even where its certificate would fit', async () => {
    const pair = await stage.ca.issue(['asked.test', 'answered.test']);
    stage.manager.setCertificate('answered.test', pair);
    const [, recorded] = [
      await visit(program, 'answered.test'),
      stage.manager.requestsFor('GET', 'answered.test'),
    ];
    expect(recorded).to.have.length(1);
    const answer = await fetch(new URL(recorded[0]?.url ?? '', stage.manager.root));
    stage.manager.answer('GET', 'asked.test', { body: await answer.text() });
    expect((await visit(program, 'asked.test')).tier).to.equal('default');
    const { reason } = await program.logged('no source could tell', { name: 'asked.test' });
    expect(reason).to.equal('manager: it answered for another domain (answered.test)');
  });

  for (const [what, dates] of [
    ['expired', { notAfter: YESTERDAY }],
    ['not yet valid', { notBefore: TOMORROW, notAfter: TOMORROW + 86_400_000 }],
  ] as const) {
    it(`in Redis, ${what}, while the manager has a valid one: the valid one is served`, async () => {
      const name = `${what.replaceAll(' ', '-')}.test`;
      const valid = await stage.ca.issue([name]);
      await prime2(stage.redis, name, await stage.ca.issue([name], dates));
      stage.manager.setCertificate(name, valid);
      expect(await visit(program, name)).to.include({ tier: 'manager', fingerprint: fingerprintOf(valid) });
      expect((await program.logged('certificate of redis is outdated', { name })).level).to.equal('err');
    });
  }

  it('from the manager, an expired multi certificate: the valid single one is served', async () => {
    const single = await stage.ca.issue(['multi-expired.test']);
    stage.manager.setCertificate('multi-expired.test', single, { slot: 'single' });
    stage.manager.setCertificate(
      'multi-expired.test',
      await stage.ca.issue(['multi-expired.test'], { notAfter: YESTERDAY }),
      { slot: 'multi' },
    );
    expect((await visit(program, 'multi-expired.test')).fingerprint).to.equal(fingerprintOf(single));
  });

  it("expired everywhere: the name's own expired one beats another name's", async () => {
    const name = 'both-expired.test';
    const inRedis = await stage.ca.issue([name], { notAfter: YESTERDAY });
    await prime2(stage.redis, name, inRedis);
    stage.manager.setCertificate(name, await stage.ca.issue([name], { notAfter: YESTERDAY }));
    expect(await visit(program, name)).to.include({ tier: 'redis', fingerprint: fingerprintOf(inRedis) });
    const renewed = await stage.ca.issue([name]);
    await prime2(stage.redis, name, renewed);
    await eventuallyServes(program, name, renewed);
  });

  it('that is kept for want of a better one is kept as shortly by a worker that has it from the cache', async () => {
    const name = 'shortly.test';
    const expired = await stage.ca.issue([name], { notAfter: YESTERDAY });
    await prime2(stage.redis, name, expired);
    // The LRU's own duration would keep it for ten minutes.
    await using second = await startProgram([
      ...stage.redisFlags(2),
      ...['--error-cache-duration', '3', '--lru-cache-duration', '600'],
    ]);
    expect(await visit(second, name)).to.include({ tier: 'redis', fingerprint: fingerprintOf(expired) });
    await second.reload(); // empties the LRU, and leaves the cache of the primary as it is
    expect((await visit(second, name)).fingerprint).to.equal(fingerprintOf(expired));
    const renewed = await stage.ca.issue([name]);
    await prime2(stage.redis, name, renewed);
    await eventuallyServes(second, name, renewed);
  });
});
