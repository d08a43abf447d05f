/**
 * A cold name that many ask for at once is looked up once on the whole machine.
 */
import { expect } from 'chai';
import { handshake } from '../../support/client.js';
import { startProgram } from '../../support/program.js';
import { openStage, watchRedis, type Stage } from '../../support/stage.js';
import { fingerprintOf } from '../../support/visit.js';

const CROWD = 500;

describe('A crowd of handshakes for one cold name', () => {
  let stage: Stage;
  before(async () => (stage = await openStage()));
  after(() => stage.close());

  it('causes one look-up in Redis and one query of the manager, with two workers', async () => {
    const pair = await stage.ca.issue(['crowd.test']);
    stage.manager.setCertificate('crowd.test', pair);
    const watch = await watchRedis(stage.redis);
    // On a slow machine the crowd takes a while to arrive: nobody is to be sent away, and nothing to lapse, meanwhile.
    await using program = await startProgram([
      ...[...stage.redisFlags(1), ...stage.managerFlags, '--workers', '2'],
      ...['--lookup-timeout', '30', '--handshake-timeout', '30', '--log-level', 'info'],
    ]);
    const seen = await Promise.all(
      Array.from({ length: CROWD }, () => handshake({ port: program.port, servername: 'crowd.test' })),
    );
    const served = new Set(seen.map(({ certificate }) => certificate.fingerprint256));
    expect(served).to.deep.equal(new Set([fingerprintOf(pair)]));
    expect(stage.manager.requestsFor('GET', 'crowd.test')).to.have.length(1);
    expect(await watch.lookups('crowd.test')).to.equal(1);
    watch.stop();
  });

  it('causes no more when the name has no certificate', async () => {
    const watch = await watchRedis(stage.redis);
    await using program = await startProgram([
      ...[...stage.redisFlags(1), ...stage.managerFlags, '--workers', '2'],
      ...['--lookup-timeout', '30', '--handshake-timeout', '30', '--log-level', 'info'],
    ]);
    const seen = await Promise.all(
      Array.from({ length: CROWD / 5 }, () => handshake({ port: program.port, servername: 'nobody.test' })),
    );
    expect(new Set(seen.map(({ names }) => names))).to.deep.equal(new Set(['default.invalid']));
    expect(stage.manager.requestsFor('GET', 'nobody.test')).to.have.length(1);
    expect(await watch.lookups('nobody.test')).to.equal(1);
    watch.stop();
  });
});
