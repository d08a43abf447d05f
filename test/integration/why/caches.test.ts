/**
 * `why` where caches and sources do not say the same: what is remembered, by whom, for how long, and that the command which it
 * names mends it.
 */
import { expect } from 'chai';
import { startProgram, type Program } from '../../support/program.js';
import { openStage, prime2, type Stage } from '../../support/stage.js';
import { eventuallySees } from '../../support/eventually.js';
import { eventuallyServes, fingerprintOf, visit } from '../../support/visit.js';
import { mend, says } from '../../support/why.js';
import { command } from '../../support/command.js';
import { withOnlyWorker } from '../../support/workers.js';

const expire = (...names: string[]): string =>
  `peter-sslers-proxy expire domain ${names.join(' ')} --workers`;

describe('why, of what is cached', () => {
  let stage: Stage;
  before(async () => (stage = await openStage()));
  after(() => stage.close());

  const start = (...flags: string[]): Promise<Program> => startProgram([...stage.redisFlags(2), ...flags]);
  /** Removes what Redis has of a name. */
  const unprime = async (name: string): Promise<void> => {
    const client = stage.redis.client();
    await client.del(`d2:${name}`);
    client.disconnect();
  };
  const issue = (name: string) => stage.ca.issue([name]);

  it('says that all is well, with where the certificate came from', async () => {
    const both = await stage.ca.issue(['well.test'], { type: 'rsa' });
    await prime2(stage.redis, 'well.test', both);
    await using program = await start();
    await says(program, 'well.test', {
      code: 'served',
      sentence: 'well.test is served its own certificate, which came from redis, valid until <date>.',
      exitCode: 0,
    });
  });

  it('says that a miss is remembered though Redis has one by now', async () => {
    await using program = await start();
    expect((await visit(program, 'missed.test')).tier).to.equal('default');
    const pair = await issue('missed.test');
    await prime2(stage.redis, 'missed.test', pair);
    const report = await says(program, 'missed.test', {
      code: 'negative-cached',
      sentence:
        'The default certificate is served: the shared cache remembers for <time> more that missed.test has no certificate, as <time> ago no source had one; redis has one now.',
      command: expire('missed.test'),
    });
    expect((await visit(program, 'missed.test')).tier).to.equal('default');
    await mend(program, report);
    expect((await visit(program, 'missed.test')).fingerprint).to.equal(fingerprintOf(pair));
  });

  it('says that a worker remembers the miss after the shared cache was expired', async () => {
    await using program = await start('--workers', '2');
    const [first = 0] = await program.workerPids();
    await withOnlyWorker(program, first, () => visit(program, 'half.test'));
    await eventuallySees(
      'both workers are awake',
      async () => (await command(program, ['status', '--json'])).code,
      (code) => code === 0,
    );
    const pair = await issue('half.test');
    await prime2(stage.redis, 'half.test', pair);
    expect((await command(program, ['expire', 'domain', 'half.test'])).stdout).to.equal(
      'expired half.test\n',
    );
    const report = await says(program, 'half.test', {
      code: 'worker-has-negative',
      sentence:
        'The default certificate is served by 1 of 2 workers, which remembers for <time> more that half.test has no certificate; redis has one now.',
      command: expire('half.test'),
    });
    await mend(program, report);
    for (let time = 0; time < 12; time++) {
      expect((await visit(program, 'half.test')).fingerprint).to.equal(fingerprintOf(pair));
    }
  });

  it('says that workers still have the old one after an expire that did not reach them', async () => {
    const [old, renewed] = [await issue('old.test'), await issue('old.test')];
    await prime2(stage.redis, 'old.test', old);
    await using program = await start('--workers', '2');
    for (const pid of await program.workerPids()) {
      await withOnlyWorker(program, pid, () => visit(program, 'old.test'));
    }
    await prime2(stage.redis, 'old.test', renewed);
    await command(program, ['expire', 'domain', 'old.test']);
    const report = await says(program, 'old.test', {
      code: 'worker-has-old',
      sentence:
        '2 of 2 workers still serve an earlier certificate of old.test (<print>) from the LRU, for <time> more at the most; redis has <print> now.',
      command: expire('old.test'),
      exitCode: 0,
    });
    expect((await visit(program, 'old.test')).fingerprint).to.equal(fingerprintOf(old));
    await mend(program, report);
    for (let time = 0; time < 12; time++) {
      expect((await visit(program, 'old.test')).fingerprint).to.equal(fingerprintOf(renewed));
    }
  });

  it('says that the shared cache still has the old one', async () => {
    const [old, renewed] = [await issue('shared.test'), await issue('shared.test')];
    await prime2(stage.redis, 'shared.test', old);
    await using program = await start();
    await visit(program, 'shared.test');
    await prime2(stage.redis, 'shared.test', renewed);
    const report = await says(program, 'shared.test', {
      code: 'cache-has-old',
      sentence:
        'shared.test is served from the shared cache, which holds an earlier certificate (<print>) for <time> more; redis has <print> now.',
      command: expire('shared.test'),
      exitCode: 0,
    });
    await mend(program, report);
    expect((await visit(program, 'shared.test')).fingerprint).to.equal(fingerprintOf(renewed));
  });

  it('does not call a certificate old that the manager has renewed before Redis was primed', async () => {
    const copy = await stage.ca.issue(['ahead.test'], { type: 'rsa', notBefore: Date.now() - 86_400_000 });
    const renewed = await stage.ca.issue(['ahead.test'], { type: 'rsa' });
    await prime2(stage.redis, 'ahead.test', copy);
    stage.manager.setCertificate('ahead.test', renewed);
    await using program = await start(...stage.managerFlags);
    // The manager goes before its copy then.
    await command(program, ['expire', 'domain', 'ahead.test']);
    expect((await visit(program, 'ahead.test')).fingerprint).to.equal(fingerprintOf(renewed));
    await says(program, 'ahead.test', {
      code: 'served',
      sentence: 'ahead.test is served its own certificate, which came from manager, valid until <date>.',
      exitCode: 0,
    });
  });

  it('says that no source could tell a moment ago', async () => {
    stage.manager.answer('GET', 'moment.test', { status: 503 });
    await using program = await start(...stage.managerFlags, '--error-cache-duration', '600');
    expect((await visit(program, 'moment.test')).tier).to.equal('default');
    const pair = await issue('moment.test');
    stage.manager.answer('GET', 'moment.test', { status: 503, times: 0 });
    stage.manager.setCertificate('moment.test', pair);
    const report = await says(program, 'moment.test', {
      code: 'error-cached',
      sentence:
        'The default certificate is served: <time> ago no source could tell for moment.test (manager: it answered 503), which is looked up again in <time>; manager has one now.',
      command: expire('moment.test'),
    });
    await mend(program, report);
    expect((await visit(program, 'moment.test')).fingerprint).to.equal(fingerprintOf(pair));
  });

  it('says that nobody has it any more: before a look-up has noticed, and after', async () => {
    await prime2(stage.redis, 'grace.test', await issue('grace.test'));
    await using program = await start();
    await visit(program, 'grace.test');
    await unprime('grace.test');
    await says(program, 'grace.test', {
      code: 'absent-grace',
      sentence:
        'No source has a certificate of grace.test any more; the last one is served from the shared cache for <time> more, and for 24 h after that (--absent-grace).',
      command: expire('grace.test'),
      exitCode: 0,
    });
    await command(program, ['expire', 'all', '--workers']);
    await visit(program, 'grace.test');
    const report = await says(program, 'grace.test', {
      code: 'absent-grace',
      sentence:
        'Every source has said for <time> that grace.test has no certificate; the last one is served on for <time> more (--absent-grace).',
      command: expire('grace.test'),
      exitCode: 0,
    });
    await mend(program, report);
    expect((await visit(program, 'grace.test')).tier).to.equal('default');
  });

  it('says that workers alone have it still', async () => {
    await prime2(stage.redis, 'gone.test', await issue('gone.test'));
    await using program = await start();
    await visit(program, 'gone.test');
    await unprime('gone.test');
    await command(program, ['expire', 'domain', 'gone.test']);
    const report = await says(program, 'gone.test', {
      code: 'gone',
      sentence:
        'gone.test is served its own certificate by 1 of 1 workers alone, from the LRU, for <time> more at the most: no source has one any more.',
      command: expire('gone.test'),
      exitCode: 0,
    });
    await mend(program, report);
    expect((await visit(program, 'gone.test')).tier).to.equal('default');
  });

  it('says that a miss is remembered which only the workers hide as yet', async () => {
    const pair = await issue('hidden.test');
    await prime2(stage.redis, 'hidden.test', pair);
    await using program = await start();
    await visit(program, 'hidden.test');
    await unprime('hidden.test');
    await command(program, ['expire', 'domain', 'hidden.test']);
    const warmed = await command(program, ['warm', '-'], 'hidden.test\n');
    expect(warmed.stdout).to.match(/^1 name: 0 with a certificate, 1 without, 0 could not be looked up/);
    await prime2(stage.redis, 'hidden.test', pair);
    const report = await says(program, 'hidden.test', {
      code: 'negative-cached',
      sentence:
        'hidden.test is served what workers still have of it: the shared cache remembers for <time> more that it has no certificate of its own; redis has one now.',
      command: expire('hidden.test'),
      exitCode: 0,
    });
    await mend(program, report);
    await eventuallyServes(program, 'hidden.test', pair);
  });

  it('says that what Redis has was withdrawn, where a name was expired and the manager has none', async () => {
    await prime2(stage.redis, 'purged.test', await issue('purged.test'));
    await using program = await start(...stage.managerFlags);
    await visit(program, 'purged.test');
    await command(program, ['expire', 'domain', 'purged.test', '--workers']);
    const report = await says(program, 'purged.test', {
      code: 'purged',
      sentence:
        'The default certificate is served: purged.test was expired by hand, and since then the manager has no certificate of it; what redis has counts as withdrawn.',
      command: expire('purged.test'),
    });
    const pair = await issue('purged.test');
    stage.manager.setCertificate('purged.test', pair);
    await mend(program, report);
    expect((await visit(program, 'purged.test')).fingerprint).to.equal(fingerprintOf(pair));
  });

  it('says that nobody has one, and who was asked', async () => {
    await using program = await start(...stage.managerFlags);
    const report = await says(program, 'nobody.test', {
      code: 'absent',
      sentence:
        'The default certificate is served: no source has a certificate of nobody.test (asked: redis, manager).',
      command: expire('nobody.test'),
    });
    const pair = await issue('nobody.test');
    await prime2(stage.redis, 'nobody.test', pair);
    stage.manager.setCertificate('nobody.test', pair);
    await mend(program, report);
    expect((await visit(program, 'nobody.test')).fingerprint).to.equal(fingerprintOf(pair));
  });

  it('looks at the wildcard too, and names both where it is the wildcard that is remembered to be absent', async () => {
    await using program = await start('--wildcards');
    await says(program, 'www.wild.test', {
      code: 'absent',
      sentence:
        'The default certificate is served: no source has a certificate of www.wild.test (asked: redis), nor of *.wild.test.',
      command: expire('www.wild.test', "'*.wild.test'"),
    });
    const pair = await stage.ca.issue(['*.wild.test'], { type: 'rsa' });
    await prime2(stage.redis, '*.wild.test', pair);
    const report = await says(program, 'www.wild.test', {
      code: 'negative-cached',
      sentence:
        'The default certificate is served: the shared cache remembers for <time> more that *.wild.test has no certificate, as <time> ago no source had one; redis has one now.',
      command: expire('www.wild.test', "'*.wild.test'"),
    });
    await mend(program, report);
    expect((await visit(program, 'www.wild.test')).fingerprint).to.equal(fingerprintOf(pair));
    await says(program, 'www.wild.test', {
      code: 'served',
      sentence:
        'www.wild.test is served the certificate of *.wild.test, which came from redis, valid until <date>.',
      exitCode: 0,
    });
  });
});
