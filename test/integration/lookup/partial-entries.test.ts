/**
 * Redis entries that cannot be put together: neither a certificate nor "there is none". The next source is asked.
 */
import { expect } from 'chai';
import { splitChain } from '../../../lib/domain/pem.js';
import { startProgram, type Program } from '../../support/program.js';
import { redisFixture } from '../../support/redis-server.js';
import { openStage, prime1, prime2, type Stage } from '../../support/stage.js';
import { eventuallyServes, fingerprintOf, visit } from '../../support/visit.js';

describe('Half an entry in Redis', () => {
  let stage: Stage;
  let program: Program;
  before(async () => {
    stage = await openStage();
    await stage.redis.load(redisFixture('style1-prime-only'));
    program = await startProgram([
      ...[...stage.redisFlags(1), ...stage.managerFlags],
      ...['--error-cache-duration', '0.3'],
    ]);
  });
  after(async () => {
    await program[Symbol.asyncDispose]();
    await stage.close();
  });

  it('as a full prime leaves it (no keys, no chains): the manager is asked, with the flag that completes it', async () => {
    for (const name of ['fresh.example.com', 'both.example.com', 'pkcs1.example.com']) {
      const seen = await visit(program, name);
      expect(seen.tier).to.equal('manager');
      expect(seen.names.split(', ')).to.include(name);
      const queries = stage.manager.requestsFor('GET', name);
      expect(queries.map(({ url }) => new URL(url, 'http://manager').search)).to.deep.equal(['?openresty=1']);
    }
  });

  for (const [part, what] of [
    ['c', 'certificate'],
    ['p', 'private key'],
    ['i', 'chain'],
  ] as const) {
    it(`whose ${what} is gone: the default, with a reason in the log, and the right one once it is complete`, async () => {
      const name = `dangling-${part}.test`;
      const pair = await stage.ca.issue([name]);
      await prime1(stage.redis, name, pair, `of-${name}`, { [part]: `gone-${name}` });
      expect((await visit(program, name)).tier).to.equal('default');
      const { reason } = await program.logged('no source could tell', { name });
      expect(reason).to.equal(`redis: d1:${name} points at ${part}:gone-${name}, which Redis does not hold`);
      await prime1(stage.redis, name, pair, `of-${name}`);
      await eventuallyServes(program, name, pair);
    });
  }

  it('that dangles is completed by the manager where that has the name', async () => {
    const pair = await stage.ca.issue(['completed.test']);
    await prime1(stage.redis, 'completed.test', pair, 'completed', { p: 'gone' });
    stage.manager.setCertificate('completed.test', pair);
    expect(await visit(program, 'completed.test')).to.include({
      tier: 'manager',
      fingerprint: fingerprintOf(pair),
    });
  });

  it('with None for the chain is whole: a certificate without an intermediate', async () => {
    const pair = await stage.ca.issue(['none.test']);
    await prime1(
      stage.redis,
      'none.test',
      { ...pair, chainPem: splitChain(pair.chainPem)[0] ?? '' },
      'none',
      {
        i: 'None',
      },
    );
    expect(await visit(program, 'none.test')).to.include({ tier: 'redis', fingerprint: fingerprintOf(pair) });
  });

  it('with None for the key is half an entry', async () => {
    await prime1(stage.redis, 'no-key.test', await stage.ca.issue(['no-key.test']), 'no-key', { p: 'None' });
    expect((await visit(program, 'no-key.test')).tier).to.equal('default');
    const { reason } = await program.logged('no source could tell', { name: 'no-key.test' });
    expect(reason).to.equal('redis: d1:no-key.test names no private key');
  });

  it('in prime style 2: likewise', async () => {
    await using second = await startProgram([...stage.redisFlags(2), ...stage.managerFlags]);
    const pair = await stage.ca.issue(['half.test']);
    await prime2(stage.redis, 'half.test', pair);
    const client = stage.redis.client();
    await client.hdel('d2:half.test', 'p');
    expect((await visit(second, 'half.test')).tier).to.equal('default');
    const { reason } = await second.logged('no source could tell', { name: 'half.test' });
    expect(reason).to.equal('redis: d2:half.test holds no private key');
  });
});
