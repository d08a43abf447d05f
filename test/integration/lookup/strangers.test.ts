/**
 * Names that strangers make up: they neither reach the manager as fast as they are asked for, nor push out real ones.
 */
import { expect } from 'chai';
import { startProgram } from '../../support/program.js';
import { openStage, prime2, watchRedis, type Stage } from '../../support/stage.js';
import { eventuallySees } from '../../support/eventually.js';
import { fingerprintOf, visit } from '../../support/visit.js';

const SCANNER = { localAddress: '127.0.0.66' };
const CUSTOMER = { localAddress: '127.0.0.77' };

describe('A scan of names that are made up', () => {
  let stage: Stage;
  before(async () => (stage = await openStage()));
  after(() => stage.close());

  const junk = (kind: string, count: number): string[] =>
    Array.from({ length: count }, (_, index) => `${kind}-${index}.junk.test`);

  it('reaches the manager no faster than --miss-rate, and the real name of another client gets through', async () => {
    const ratePerSecond = 10;
    const pair = await stage.ca.issue(['customer.test']);
    stage.manager.setCertificate('customer.test', pair);
    await using program = await startProgram([
      ...[...stage.managerFlags, '--miss-rate', String(ratePerSecond), '--lookup-timeout', '3'],
    ]);
    const begunMs = Date.now();
    const scan = junk('scan', 150).map((name) => visit(program, name, SCANNER));
    await stage.manager.received(ratePerSecond, ({ url }) => url.includes('.junk.test'));
    // The scanner's queue is long by now, and the customer's own is empty.
    expect(await visit(program, 'customer.test', CUSTOMER)).to.include({
      tier: 'manager',
      fingerprint: fingerprintOf(pair),
    });
    for (const { tier } of await Promise.all(scan)) expect(tier).to.equal('default');
    const seconds = (Date.now() - begunMs) / 1000;
    const asked = stage.manager.requests.filter(({ url }) => url.includes('.junk.test')).length;
    // What was saved up, what came in since, and one for the customer's that was given back.
    expect(asked).to.be.at.most(ratePerSecond * (1 + seconds) + 1);
    expect(asked).to.be.below(150);
  });

  it('that leaves no token for a real name: it gets the default for the moment, which is not remembered', async () => {
    const pair = await stage.ca.issue(['patient.test']);
    stage.manager.setCertificate('patient.test', pair);
    await using program = await startProgram([
      ...[...stage.managerFlags, '--miss-rate', '1', '--lookup-timeout', '0.2'],
      // Were it remembered, it would be for as long as this.
      ...['--error-cache-duration', '600'],
    ]);
    await visit(program, 'first.junk.test', SCANNER);
    const seen = await eventuallySees(
      'its turn comes',
      () => visit(program, 'patient.test', CUSTOMER),
      ({ tier }) => tier !== 'default',
    );
    expect(seen.fingerprint).to.equal(fingerprintOf(pair));
    expect(stage.manager.requestsFor('GET', 'patient.test')).to.have.length(1);
  });

  it('does not slow names that Redis has: they take no token', async () => {
    const names = Array.from({ length: 30 }, (_, index) => `good-${index}.test`);
    for (const name of names) await prime2(stage.redis, name, await stage.ca.issue([name]));
    await using program = await startProgram([
      ...[...stage.redisFlags(2), ...stage.managerFlags, '--miss-rate', '1', '--lookup-timeout', '5'],
    ]);
    const tiers = await Promise.all(names.map(async (name) => (await visit(program, name)).tier));
    expect(new Set(tiers)).to.deep.equal(new Set(['redis']));
  });

  it('pushes no real name out of the LRU or the cache of the primary, and its own traces are bounded', async () => {
    const real = ['r1.test', 'r2.test', 'r3.test'];
    for (const name of real) await prime2(stage.redis, name, await stage.ca.issue([name]));
    const watch = await watchRedis(stage.redis);
    await using program = await startProgram([
      ...[...stage.redisFlags(2), '--lru-maxitems', '3', '--negative-maxitems', '20'],
      ...['--cert-cache-size', '64KiB'],
    ]);
    for (const name of real) await visit(program, name);
    for (const name of junk('push', 120))
      expect((await visit(program, name, SCANNER)).tier).to.equal('default');
    for (const name of real) expect((await visit(program, name)).tier).to.equal('lru');
    // The oldest of the junk is forgotten, the youngest is not.
    await visit(program, 'push-119.junk.test');
    await visit(program, 'push-0.junk.test');
    expect(await watch.lookups('push-119.junk.test')).to.equal(1);
    expect(await watch.lookups('push-0.junk.test')).to.equal(2);
    await program.reload();
    for (const name of real) expect((await visit(program, name)).tier).to.equal('cache');
    for (const name of real) expect(await watch.lookups(name)).to.equal(1);
    watch.stop();
  });
});
