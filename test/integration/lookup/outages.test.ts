/**
 * An outage is never remembered as "this domain has no certificate".
 */
import { expect } from 'chai';
import { startFakeManager } from '../../support/fake-manager.js';
import { startProgram } from '../../support/program.js';
import { openStage, prime2, type Stage } from '../../support/stage.js';
import { eventuallySees } from '../../support/eventually.js';
import { eventuallyServes, fingerprintOf, visit } from '../../support/visit.js';

/** Everything lapses soon. Where they are not used, a miss that is remembered as one stays for ten minutes. */
const DURATIONS = [
  '--cert-cache-duration',
  '0.2',
  '--lru-cache-duration',
  '0.1',
  '--error-cache-duration',
  '0.3',
];

describe('An outage', () => {
  let stage: Stage;
  beforeEach(async () => (stage = await openStage()));
  afterEach(() => stage.close());

  it('of Redis: the earlier certificate serves on, and a new one soon after Redis is back', async () => {
    const old = await stage.ca.issue(['a.test']);
    const renewed = await stage.ca.issue(['a.test']);
    await prime2(stage.redis, 'a.test', old);
    await using program = await startProgram([...stage.redisFlags(2), ...DURATIONS]);
    await eventuallyServes(program, 'a.test', old);
    await stage.redis.kill();
    await eventuallySees(
      'the look-up fails',
      async () => {
        expect((await visit(program, 'a.test')).fingerprint).to.equal(fingerprintOf(old));
        return program.log.filter(({ servedOn }) => servedOn === true).length;
      },
      (failures) => failures >= 4,
    );
    await stage.redis.restart();
    await prime2(stage.redis, 'a.test', renewed);
    await eventuallyServes(program, 'a.test', renewed);
  });

  it('of Redis with no earlier certificate: the default, and the right one soon after Redis is back', async () => {
    const pair = await stage.ca.issue(['b.test']);
    await stage.redis.kill();
    // Were the miss remembered as one, it would stay for these ten minutes.
    await using program = await startProgram([...stage.redisFlags(2), '--error-cache-duration', '0.3']);
    expect((await visit(program, 'b.test')).tier).to.equal('default');
    expect((await visit(program, 'b.test')).tier).to.equal('default');
    await stage.redis.restart();
    await prime2(stage.redis, 'b.test', pair);
    await eventuallyServes(program, 'b.test', pair);
  });

  it('of Redis while the manager says that it has none: not absent either', async () => {
    const pair = await stage.ca.issue(['c.test']);
    await stage.redis.kill();
    await using program = await startProgram([
      ...[...stage.redisFlags(2), ...stage.managerFlags],
      ...['--error-cache-duration', '0.3'],
    ]);
    expect((await visit(program, 'c.test')).tier).to.equal('default');
    expect(stage.manager.requestsFor('GET', 'c.test')).to.have.length(1);
    await stage.redis.restart();
    await prime2(stage.redis, 'c.test', pair);
    await eventuallyServes(program, 'c.test', pair);
  });

  it('of the manager: the earlier certificate serves on, and a new one soon after it is back', async () => {
    const old = await stage.ca.issue(['d.test']);
    const renewed = await stage.ca.issue(['d.test']);
    stage.manager.setCertificate('d.test', old);
    await using program = await startProgram([...stage.managerFlags, ...DURATIONS]);
    await eventuallyServes(program, 'd.test', old);
    stage.manager.answer('GET', 'd.test', { closeWithoutAnswer: true, times: 2 });
    await eventuallySees(
      'the look-ups fail',
      async () => {
        expect((await visit(program, 'd.test')).fingerprint).to.equal(fingerprintOf(old));
        return program.log.some(({ servedOn }) => servedOn === true);
      },
      Boolean,
    );
    stage.manager.setCertificate('d.test', renewed);
    await eventuallyServes(program, 'd.test', renewed);
  });

  it('of the manager with no earlier certificate: the default, and the right one soon after it is back', async () => {
    const pair = await stage.ca.issue(['e.test']);
    const { port } = stage.manager;
    await stage.manager.close();
    await using program = await startProgram([...stage.managerFlags, '--error-cache-duration', '0.3']);
    expect((await visit(program, 'e.test')).tier).to.equal('default');
    const { reason } = await program.logged('no source could tell', { name: 'e.test' });
    expect(reason).to.equal('manager: it refuses the connection (ECONNREFUSED)');
    const back = await startFakeManager({ port });
    try {
      back.setCertificate('e.test', pair);
      await eventuallyServes(program, 'e.test', pair);
    } finally {
      await back.close();
    }
  });

  it('is logged once when it begins and once when it ends, however many names are asked for meanwhile', async () => {
    const names = Array.from({ length: 30 }, (_, index) => `n${index}.test`);
    await using program = await startProgram([...stage.redisFlags(2), '--error-cache-duration', '0.1']);
    await stage.redis.kill();
    for (const name of names) expect((await visit(program, name)).tier).to.equal('default');
    await stage.redis.restart();
    for (const name of names) await prime2(stage.redis, name, await stage.ca.issue([name]));
    for (const name of names) {
      await eventuallySees(
        name,
        () => visit(program, name),
        ({ tier }) => tier !== 'default',
      );
    }
    const spoken = program.log.filter(
      ({ level, msg }) => (level === 'err' || level === 'notice') && /redis/i.test(msg),
    );
    expect(spoken.map(({ level, msg }) => `${level}: ${msg.replace(/: .*/, '')}`)).to.deep.equal([
      'err: redis is not available',
      'err: source redis fails',
      'notice: source redis is unavailable',
      'notice: redis is available again',
      'notice: source redis answers again',
    ]);
  });
});
