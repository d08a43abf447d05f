/**
 * `--wildcards`: `*.parent` is looked up after a name is absent everywhere, and kept under its own name.
 */
import { expect } from 'chai';
import { startProgram, type Program } from '../../support/program.js';
import { openStage, prime2, watchRedis, type RedisWatch, type Stage } from '../../support/stage.js';
import { eventuallySees } from '../../support/eventually.js';
import { fingerprintOf, visit } from '../../support/visit.js';

describe('Wildcards', () => {
  let stage: Stage;
  let program: Program;
  let watch: RedisWatch;
  before(async () => {
    stage = await openStage();
    watch = await watchRedis(stage.redis);
    program = await startProgram([
      ...[...stage.redisFlags(2), ...stage.managerFlags, '--wildcards'],
      ...['--error-cache-duration', '0.2'],
    ]);
  });
  after(async () => {
    watch.stop();
    await program[Symbol.asyncDispose]();
    await stage.close();
  });

  it('serve any name below them, and are looked up once for all of those', async () => {
    const pair = await stage.ca.issue(['*.redis.test']);
    await prime2(stage.redis, '*.redis.test', pair);
    const first = await visit(program, 'a.redis.test');
    expect(first).to.deep.equal({ names: '*.redis.test', fingerprint: fingerprintOf(pair), tier: 'redis' });
    expect(await visit(program, 'b.redis.test')).to.deep.equal({ ...first, tier: 'cache' });
    expect(await visit(program, 'a.redis.test')).to.deep.equal({ ...first, tier: 'lru' });
    expect(await watch.lookups('*.redis.test')).to.equal(1);
    expect(await watch.lookups('a.redis.test')).to.equal(1);
  });

  it('come from the manager under their literal name', async () => {
    const seen = await visit(program, 'any.wild.example.com');
    expect(seen).to.include({ names: '*.wild.example.com', tier: 'manager' });
    expect(stage.manager.requestsFor('GET', '*.wild.example.com')).to.have.length(1);
  });

  it("are not looked up where the name's own certificate exists, whichever source has it", async () => {
    const own = await stage.ca.issue(['own.both.test']);
    await prime2(stage.redis, '*.both.test', await stage.ca.issue(['*.both.test']));
    stage.manager.setCertificate('own.both.test', own);
    expect(await visit(program, 'own.both.test')).to.include({
      tier: 'manager',
      fingerprint: fingerprintOf(own),
    });
    expect(await watch.lookups('*.both.test')).to.equal(0);
  });

  it('do not cover two labels, nor the parent itself', async () => {
    await prime2(stage.redis, '*.one.test', await stage.ca.issue(['*.one.test']));
    expect((await visit(program, 'a.b.one.test')).tier).to.equal('default');
    expect((await visit(program, 'one.test')).tier).to.equal('default');
    expect(await watch.lookups('*.one.test')).to.equal(0);
  });

  it('serve a name of its own while a source cannot tell of that, and no longer', async () => {
    const own = await stage.ca.issue(['own.outage.test']);
    await prime2(stage.redis, '*.outage.test', await stage.ca.issue(['*.outage.test']));
    stage.manager.answer('GET', 'own.outage.test', { status: 503, times: 1 });
    stage.manager.setCertificate('own.outage.test', own);
    expect((await visit(program, 'own.outage.test')).names).to.equal('*.outage.test');
    await eventuallySees(
      'the manager is well again',
      () => visit(program, 'own.outage.test'),
      ({ fingerprint }) => fingerprint === fingerprintOf(own),
    );
  });

  it('are off by default', async () => {
    await prime2(stage.redis, '*.off.test', await stage.ca.issue(['*.off.test']));
    await using plain = await startProgram([...stage.redisFlags(2), ...stage.managerFlags]);
    expect((await visit(plain, 'a.off.test')).tier).to.equal('default');
    expect(await watch.lookups('*.off.test')).to.equal(0);
  });
});
