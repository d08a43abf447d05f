/**
 * `why` where a certificate is ordered, or is not; and that it orders nothing itself.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { command } from '../../support/command.js';
import { handshake } from '../../support/client.js';
import { formError, refusal } from '../../support/manager-generations.js';
import { makeTempDir } from '../../support/certificates.js';
import { startProgram, type Program } from '../../support/program.js';
import { openStage, prime2, watchRedis, type Stage } from '../../support/stage.js';
import { eventuallySees } from '../../support/eventually.js';
import { eventuallyServes, fingerprintOf, visit } from '../../support/visit.js';
import { mend, says, why } from '../../support/why.js';

const expire = (name: string): string => `peter-sslers-proxy expire domain ${name} --workers`;

describe('why, of orders', () => {
  let stage: Stage;
  before(async () => (stage = await openStage()));
  after(() => stage.close());

  const start = (...flags: string[]): Promise<Program> =>
    startProgram([...stage.redisFlags(2), ...stage.managerFlags, '--enable-autocert', ...flags]);
  const orders = (name: string): number => stage.manager.requestsFor('POST', name).length;

  it('says that one is under way, and the order goes on', async () => {
    const pair = await stage.ca.issue(['slow.test']);
    let release = (): void => undefined;
    stage.manager.issue('slow.test', pair, new Promise<void>((resolve) => (release = resolve)));
    await using program = await start();
    const first = handshake({ port: program.port, servername: 'slow.test' });
    await stage.manager.received(1, ({ method, body }) => method === 'POST' && body.includes('slow.test'));
    await says(program, 'slow.test', {
      code: 'ordering',
      sentence:
        'The default certificate is served meanwhile: a certificate of slow.test is being ordered from the manager, for <time> now.',
    });
    release();
    expect((await first).certificate.fingerprint256).to.equal(fingerprintOf(pair));
    expect(orders('slow.test')).to.equal(1);
  });

  it("says why the manager refused it, in the manager's words, and for how long it is held off", async () => {
    stage.manager.onAutocert('refused.test', () => ({ body: refusal('the challenge did not arrive') }));
    await using program = await start();
    expect((await visit(program, 'refused.test')).tier).to.equal('default');
    const report = await says(program, 'refused.test', {
      code: 'refused',
      sentence:
        'The default certificate is served: <time> ago the manager refused the order of refused.test, and said: the challenge did not arrive; it is ordered again in <time> at the earliest.',
      command: expire('refused.test'),
    });
    const pair = await stage.ca.issue(['refused.test']);
    stage.manager.issue('refused.test', pair);
    await mend(program, report);
    await eventuallyServes(program, 'refused.test', pair);
    expect(orders('refused.test')).to.equal(2);
  });

  it('says that the order failed', async () => {
    stage.manager.onAutocert('failed.test', () => ({ status: 500, body: 'oops' }));
    await using program = await start();
    expect((await visit(program, 'failed.test')).tier).to.equal('default');
    const { report } = await why(program, 'failed.test');
    expect(report.diagnosis).to.include({ code: 'order-failed', isServed: false });
    expect(report.diagnosis.sentence).to.match(
      /ago the order of failed\.test failed: .*500.*; it is ordered again in /,
    );
  });

  it('says that it was ordered a while ago, and is held off', async () => {
    stage.manager.issue('held.test', await stage.ca.issue(['held.test']));
    await using program = await start(
      ...['--cert-cache-duration', '0.05', '--lru-cache-duration', '0.05', '--absent-grace', '0'],
    );
    await visit(program, 'held.test');
    stage.manager.remove('held.test');
    await eventuallySees(
      'it is gone',
      () => visit(program, 'held.test'),
      ({ tier }) => tier === 'default',
    );
    const report = await says(program, 'held.test', {
      code: 'held-off',
      sentence:
        'The default certificate is served: held.test was ordered a while ago, and is not ordered again for <time> (--autocert-holdoff).',
      command: expire('held.test'),
    });
    const pair = await stage.ca.issue(['held.test']);
    stage.manager.issue('held.test', pair);
    await mend(program, report);
    await eventuallyServes(program, 'held.test', pair);
  });

  it('says that somebody else orders it', async () => {
    stage.manager.onAutocert('theirs.test', () => ({
      body: formError('There is an active or recent autocert attempt for this domain.'),
    }));
    await using program = await start();
    // It is believed for two seconds, and for twice as long each time that the manager says so again.
    const { report } = await eventuallySees(
      'somebody else is believed to order it',
      async () => {
        await visit(program, 'theirs.test');
        return why(program, 'theirs.test');
      },
      (seen) => seen.report.diagnosis.code === 'ordering-elsewhere',
    );
    expect(report.diagnosis.sentence).to.match(
      /^The default certificate is served meanwhile: somebody else is ordering a certificate of theirs\.test at the manager, which is asked again in .*\.$/,
    );
  });

  it('says that the allow-list does not have it; adding it and a reload lets it be ordered', async () => {
    const { dir, remove } = await makeTempDir();
    try {
      const list = join(dir, 'allowed');
      await writeFile(list, 'somebody.test\n');
      await using program = await start('--autocert-allow', `@${list}`);
      const report = await says(program, 'customer.test', {
        code: 'not-allowed',
        sentence:
          'The default certificate is served: no source has a certificate of customer.test, and it may not be ordered: no pattern of --autocert-allow has it.',
        command: 'peter-sslers-proxy reload',
      });
      const pair = await stage.ca.issue(['customer.test']);
      stage.manager.issue('customer.test', pair);
      await writeFile(list, `${await readFile(list, 'utf8')}customer.test\n`);
      await mend(program, report);
      await eventuallyServes(program, 'customer.test', pair);
    } finally {
      await remove();
    }
  });

  it('says that it will not be ordered for what the name is', async () => {
    await using program = await start();
    await says(program, 'under_score.test', {
      code: 'not-orderable',
      sentence:
        'The default certificate is served: no source has a certificate of under_score.test, and it is not ordered: it has an underscore.',
    });
  });

  it('says that the next handshake orders it, and orders nothing, primes nothing, and keeps nothing', async () => {
    stage.manager.issue('next.test', await stage.ca.issue(['next.test']));
    await using program = await start();
    const redis = await watchRedis(stage.redis);
    const asked = stage.manager.requests.length;
    const report = await says(program, 'next.test', {
      code: 'will-be-ordered',
      sentence:
        'next.test has no certificate yet; the next handshake that asks for it starts an order at the manager.',
      command: 'peter-sslers-proxy warm FILE',
    });
    expect(report.clients).to.deep.equal([]);
    expect(report.noHandshake).to.equal('it would start an order');
    // Two reports: one query for each, none of which primes; no order.
    const requests = stage.manager.requests.slice(asked);
    expect(requests.map(({ method, url }) => `${method} ${url.replace(/^.*\/domain/, '')}`)).to.deep.equal([
      'GET /next.test/config.json',
      'GET /next.test/config.json',
    ]);
    const commands = await redis.commands();
    redis.stop();
    expect(
      commands.filter((line) => !/^(?:hmget|hexists|hello|select|ping|info|scan)\b/i.test(line)),
    ).to.deep.equal([]);
    const { report: after } = await why(program, 'next.test');
    expect(after.facts?.primary).to.deep.equal({ isPurged: false });
    expect(after.workers.map((worker) => Object.keys(worker).sort())).to.deep.equal([
      ['isPrimaryLate', 'pid'],
    ]);
    expect(orders('next.test')).to.equal(0);
    await visit(program, 'next.test');
    expect(orders('next.test')).to.equal(1);
  });

  it('makes no handshake either where a copy counts as withdrawn, and the manager would be asked to order', async () => {
    stage.manager.onAutocert('withdrawn.test', () => ({ body: refusal() }));
    await prime2(stage.redis, 'withdrawn.test', await stage.ca.issue(['withdrawn.test']));
    await using program = await start();
    await visit(program, 'withdrawn.test');
    await command(program, ['expire', 'domain', 'withdrawn.test', '--workers']);
    const { report } = await why(program, 'withdrawn.test');
    expect(report.noHandshake).to.equal('it would start an order');
    expect(orders('withdrawn.test')).to.equal(0);
  });
});
