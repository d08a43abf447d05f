/**
 * A copy (Redis) that nobody brings up to date: the authority (the manager) primes another one, or none.
 */
import { expect } from 'chai';
import { generateKey } from '../../../lib/pki/keys.js';
import { selfSigned } from '../../../lib/pki/mint.js';
import { ABSENT, DOWN, found, WAIT } from '../../support/fake-source.js';
import { DAY_MS, issue, NAME, openRolesStage, START_MS } from './stage.js';

type Stage = ReturnType<typeof openRolesStage>;

const CACHE_MS = 600_000;

/** The manager's renewed one is served, Redis still has the one before it, and what is cached has just lapsed. */
async function renewed(options: { readonly notAfter?: number } = {}) {
  const stage = openRolesStage();
  const { resolve, resolver, redis, manager, time } = stage;
  const old = await issue([NAME], { notBefore: START_MS - 20 * DAY_MS, notAfter: START_MS + 10 * DAY_MS });
  const fresh = await issue([NAME], { notBefore: START_MS - DAY_MS, ...options });
  redis.answer(found(old));
  manager.answer(found(fresh));
  await resolve();
  resolver.expireDomain(NAME);
  expect(await resolve()).to.include({ kind: 'found', tier: 'manager' });
  time.nowMs += CACHE_MS;
  return { ...stage, fresh, old, askedBefore: manager.asked.length };
}

const servedBy = async ({ resolve, pem }: Stage) => {
  const { kind } = await resolve();
  return { kind, chainPem: pem.get(NAME)?.entry.certificate.pairs[0]?.chainPem };
};

describe('Resolver: a copy that is behind', () => {
  it('does not take the place of what the authority has, which is asked again', async () => {
    const stage = await renewed();
    for (let i = 1; i <= 3; i++) {
      expect(await servedBy(stage)).to.deep.equal({ kind: 'found', chainPem: stage.fresh.chainPem });
      expect(stage.manager.asked).to.have.length(stage.askedBefore + i);
      stage.time.nowMs += CACHE_MS;
    }
  });

  for (const [what, answer] of [
    ['is down', DOWN],
    ['has no answer yet', WAIT],
  ] as const) {
    it(`does not either while the authority ${what}: it is asked again soon`, async () => {
      const { resolve, manager, redis, fresh, pem, time } = await renewed();
      manager.answer(answer);
      for (let i = 0; i < 2; i++) {
        expect(await resolve()).to.include({ kind: 'found', tier: 'manager', keepMs: 5_000 });
        expect(pem.get(NAME)?.entry.certificate.pairs[0]?.chainPem).to.equal(fresh.chainPem);
        time.nowMs += 5_000;
      }
      expect(redis.asked.length).to.equal(3);
    });
  }

  it('is followed where the authority has none any more', async () => {
    const stage = await renewed();
    stage.manager.answer(ABSENT);
    expect(await stage.resolve()).to.include({ kind: 'found', tier: 'redis' });
    expect(await servedBy(stage)).to.deep.equal({ kind: 'found', chainPem: stage.old.chainPem });
  });

  it('is followed where the authority has only a poorer one by now', async () => {
    const stage = await renewed();
    const validity = { notBeforeMs: START_MS - DAY_MS, notAfterMs: START_MS + DAY_MS };
    stage.manager.answer(found(selfSigned({ names: [NAME], key: await generateKey(), ...validity })));
    expect(await servedBy(stage)).to.deep.equal({ kind: 'found', chainPem: stage.old.chainPem });
  });

  it('is asked alone again once it has caught up, or has an even newer one', async () => {
    for (const notBefore of [START_MS - DAY_MS, START_MS - 1]) {
      const stage = await renewed();
      stage.redis.answer(found(await issue([NAME], { notBefore })));
      expect(await stage.resolve()).to.include({ kind: 'found', tier: 'redis' });
      expect(stage.manager.asked).to.have.length(stage.askedBefore);
    }
  });

  it('is followed where what the authority had has expired', async () => {
    const stage = await renewed({ notAfter: START_MS + CACHE_MS - 1_000 });
    expect(await stage.resolve()).to.include({ kind: 'found', tier: 'redis' });
    expect(stage.manager.asked).to.have.length(stage.askedBefore);
  });
});
