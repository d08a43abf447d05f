/**
 * Ordering a certificate on the spot: who waits, who does not, and that nothing is ordered twice.
 */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:tls';
import { expect } from 'chai';

import { handshake, request } from '../../support/client.js';
import { formError, refusal } from '../../support/manager-generations.js';
import { makeTempDir } from '../../support/certificates.js';
import { startProgram, type Program } from '../../support/program.js';
import { openStage, prime2, type Stage } from '../../support/stage.js';
import { eventuallySees } from '../../support/eventually.js';
import { eventuallyServes, fingerprintOf, visit } from '../../support/visit.js';

describe('Autocert', () => {
  let stage: Stage;
  before(async () => (stage = await openStage()));
  after(() => stage.close());

  const orders = (name: string): number => stage.manager.requestsFor('POST', name).length;
  const start = (...flags: string[]): Promise<Program> =>
    startProgram([...stage.redisFlags(2), ...stage.managerFlags, '--enable-autocert', ...flags]);
  /** An order that the manager works on until `release`. */
  const slowOrder = async (name: string) => {
    const pair = await stage.ca.issue([name]);
    let release = (): void => undefined;
    stage.manager.issue(name, pair, new Promise<void>((resolve) => (release = resolve)));
    const ordered = stage.manager.received(
      1,
      ({ method, body }) => method === 'POST' && body === `domain_name=${name}`,
    );
    return { pair, release: () => release(), ordered };
  };

  it('the first requester waits, longer than any other time-out; the others get the default and do not keep it', async () => {
    const { pair, release, ordered } = await slowOrder('slow.test');
    await using program = await start(
      ...['--workers', '2', '--handshake-timeout', '1', '--lookup-timeout', '1', '--autocert-timeout', '30'],
    );
    const first = handshake({ port: program.port, servername: 'slow.test' });
    await ordered;
    const begunMs = Date.now();
    // Both of the other time-outs go by several times over.
    const meanwhile: string[] = [];
    while (Date.now() - begunMs < 2_500) meanwhile.push((await visit(program, 'slow.test')).tier);
    expect(new Set(meanwhile)).to.deep.equal(new Set(['default']));
    release();
    expect((await first).certificate.fingerprint256).to.equal(fingerprintOf(pair));
    // Every worker has it from the next handshake on.
    for (let time = 0; time < 12; time++) {
      expect((await visit(program, 'slow.test')).fingerprint).to.equal(fingerprintOf(pair));
    }
    expect(orders('slow.test')).to.equal(1);
    expect((await program.logged('a certificate was issued', { name: 'slow.test' })).level).to.equal(
      'notice',
    );
  });

  it('is given up by the first requester after --autocert-timeout, and goes on behind it', async () => {
    const { pair, release } = await slowOrder('late.test');
    await using program = await start('--autocert-timeout', '0.3');
    expect((await visit(program, 'late.test')).tier).to.equal('default');
    release();
    await program.logged('a certificate was issued', { name: 'late.test' });
    await eventuallyServes(program, 'late.test', pair);
    expect(orders('late.test')).to.equal(1);
  });

  it('is not cancelled when the one who started it disconnects', async () => {
    const { pair, release, ordered } = await slowOrder('gone.test');
    await using program = await start();
    const starter = connect({ host: '127.0.0.1', port: program.port, servername: 'gone.test' });
    starter.on('error', () => undefined);
    await ordered;
    starter.destroy();
    await once(starter, 'close');
    release();
    await program.logged('handshake failed', { reason: 'closed' });
    await program.logged('a certificate was issued', { name: 'gone.test' });
    await eventuallyServes(program, 'gone.test', pair);
    expect(orders('gone.test')).to.equal(1);
  });

  it('makes one order for a name that a crowd asks two workers for', async () => {
    const { pair, release, ordered } = await slowOrder('crowd.test');
    await using program = await start('--workers', '2', '--lookup-timeout', '30');
    const crowd = Promise.all(
      Array.from({ length: 60 }, () => handshake({ port: program.port, servername: 'crowd.test' })),
    );
    await ordered;
    release();
    const served = (await crowd).filter(
      ({ certificate }) => certificate.fingerprint256 === fingerprintOf(pair),
    );
    expect(served).to.not.be.empty;
    await eventuallyServes(program, 'crowd.test', pair);
    expect(orders('crowd.test')).to.equal(1);
    expect(stage.manager.requestsFor('GET', 'crowd.test')).to.have.length(1);
  });

  it('orders a name that has a certificate never again, however often the caches run out', async () => {
    const pair = await stage.ca.issue(['once.test']);
    stage.manager.issue('once.test', pair);
    await using program = await start(
      ...['--workers', '2', '--cert-cache-duration', '0.05', '--lru-cache-duration', '0.05'],
      ...['--error-cache-duration', '0.05', '--autocert-holdoff', '0.05', '--miss-rate', '1000'],
    );
    await eventuallyServes(program, 'once.test', pair);
    await eventuallySees(
      'the caches have run out twenty times',
      async () => {
        expect((await visit(program, 'once.test')).fingerprint).to.equal(fingerprintOf(pair));
        return stage.manager.requestsFor('GET', 'once.test').length;
      },
      (queries) => queries > 20,
    );
    expect(orders('once.test')).to.equal(1);
  });

  it('orders nothing in an outage: neither of Redis nor of the query', async () => {
    await using program = await start('--error-cache-duration', '0.05');
    for (const [index, script] of [
      { status: 503 },
      { status: 404, headers: { 'Content-Type': 'text/html' }, body: '<h1>Not Found</h1>' },
      { closeWithoutAnswer: true },
      { body: '{"truncated' },
    ].entries()) {
      const name = `outage-${index}.test`;
      stage.manager.answer('GET', name, script);
      for (let time = 0; time < 3; time++) expect((await visit(program, name)).tier).to.equal('default');
      expect(orders(name)).to.equal(0);
    }
  });

  it('a failure starts the hold-off, and is logged at err with the words of the manager', async () => {
    stage.manager.onAutocert('refused.test', () => ({
      body: refusal('the authority says: no\u0007 "way"\n[err] forged'),
    }));
    await using program = await start(
      ...['--cert-cache-duration', '0.05', '--lru-cache-duration', '0.05', '--error-cache-duration', '0.05'],
      ...['--autocert-holdoff', '60'],
    );
    expect((await visit(program, 'refused.test')).tier).to.equal('default');
    const line = await program.logged('the order was refused', { name: 'refused.test' });
    expect(line.level).to.equal('err');
    expect(line['reason']).to.match(/^the authority says: no ?"way" \[err\] forged$/);
    expect(line['holdoffMs']).to.equal(60_000);
    await eventuallySees(
      'it is looked up again and again',
      async () => {
        await visit(program, 'refused.test');
        return stage.manager.requestsFor('GET', 'refused.test').length;
      },
      (queries) => queries > 8,
    );
    expect(orders('refused.test')).to.equal(1);
    // Somebody puts it right by hand: it is served although the name is held off.
    const pair = await stage.ca.issue(['refused.test']);
    stage.manager.setCertificate('refused.test', pair);
    await eventuallyServes(program, 'refused.test', pair);
  });

  it('orders again when the hold-off is over', async () => {
    const pair = await stage.ca.issue(['again.test']);
    stage.manager.onAutocert('again.test', () => ({ body: refusal() }));
    await using program = await start(
      ...['--cert-cache-duration', '0.05', '--lru-cache-duration', '0.05', '--autocert-holdoff', '0.3'],
    );
    expect((await visit(program, 'again.test')).tier).to.equal('default');
    stage.manager.issue('again.test', pair);
    await eventuallyServes(program, 'again.test', pair);
    expect(orders('again.test')).to.equal(2);
  });

  it("takes 'already active' for an order of somebody else: pending, looked at again, never a failure", async () => {
    stage.manager.onAutocert('theirs.test', () => ({
      body: formError('There is an active or recent autocert attempt for this domain.'),
    }));
    await using program = await start('--error-cache-duration', '600');
    for (let time = 0; time < 5; time++)
      expect((await visit(program, 'theirs.test')).tier).to.equal('default');
    const pair = await stage.ca.issue(['theirs.test']);
    await prime2(stage.redis, 'theirs.test', pair);
    // Were it remembered as a failure or a miss, it would stay for ten minutes.
    expect(await visit(program, 'theirs.test')).to.include({
      tier: 'redis',
      fingerprint: fingerprintOf(pair),
    });
    expect(orders('theirs.test')).to.equal(1);
  });

  it('lists the names that are being ordered in the status', async () => {
    const { dir, remove } = await makeTempDir();
    try {
      await writeFile(`${dir}/users`, 'manager:secret\n');
      const { release, ordered, pair } = await slowOrder('listed.test');
      await using program = await start('--admin-user-file', `${dir}/users`);
      const status = async (): Promise<{ keys: Record<string, string[]> }> => {
        const { body } = await request({
          port: program.port,
          path: '/.peter_sslers/nginx/shared_cache/status',
          auth: 'manager:secret',
        });
        return JSON.parse(body) as { keys: Record<string, string[]> };
      };
      const first = visit(program, 'listed.test');
      await ordered;
      expect((await status()).keys).to.deep.equal({ valid: [], invalid: [], autocert: ['listed.test'] });
      release();
      expect((await first).fingerprint).to.equal(fingerprintOf(pair));
      expect((await status()).keys).to.deep.equal({ valid: ['listed.test'], invalid: [], autocert: [] });
    } finally {
      await remove();
    }
  });

  it('orders no name with an underscore, none outside of --autocert-allow, and none that is no name', async () => {
    stage.manager.onAutocert('*', () => ({ body: refusal('whoever asks is refused') }));
    await using program = await start('--autocert-allow', 'allowed.test', '--autocert-allow', '*.shops.test');
    const not = [
      'under_score.shops.test',
      'elsewhere.test',
      'shops.test',
      'notshops.test',
      '127.0.0.1',
      'x..shops.test',
    ];
    for (const name of not) await visit(program, name).catch(() => undefined);
    for (const name of ['allowed.test', 'one.shops.test']) await visit(program, name);
    const ordered = stage.manager.requests
      .filter(({ method, body }) => method === 'POST' && /(shops|allowed|elsewhere|x\.\.)/.test(body))
      .map(({ body }) => body);
    expect(ordered).to.deep.equal(['domain_name=allowed.test', 'domain_name=one.shops.test']);
  });

  it('orders nothing at all without --enable-autocert', async () => {
    await using program = await startProgram([...stage.redisFlags(2), ...stage.managerFlags]);
    expect((await visit(program, 'off.test')).tier).to.equal('default');
    expect(orders('off.test')).to.equal(0);
  });

  it('has no more orders under way than --autocert-concurrency; the others queue', async () => {
    const names = ['q1.test', 'q2.test', 'q3.test', 'q4.test', 'q5.test'];
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    let running = 0;
    let most = 0;
    for (const name of names) {
      stage.manager.onAutocert(name, async () => {
        most = Math.max(most, ++running);
        await released;
        running--;
        return { body: refusal() };
      });
    }
    const isOurs = (text: string): boolean => /\bq\d\.test\b/.test(text);
    await using program = await start('--autocert-concurrency', '2');
    const waiting = names.map((name) => visit(program, name));
    await stage.manager.received(2, ({ method, body }) => method === 'POST' && isOurs(body));
    await stage.manager.received(names.length, ({ method, url }) => method === 'GET' && isOurs(url));
    for (const name of names) expect((await visit(program, name)).tier).to.equal('default');
    expect(running).to.equal(2);
    release();
    for (const seen of await Promise.all(waiting)) expect(seen.tier).to.equal('default');
    expect(most).to.equal(2);
    for (const name of names) expect(orders(name)).to.equal(1);
  });
});
