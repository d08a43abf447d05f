/**
 * `expire/domain/NAME` removes all that the primary knows of a name. The durations are so long that nothing here happens
 * by itself; but for the workers' own, which are so short that the primary is asked.
 */
import { expect } from 'chai';
import { admin, ADMIN_FLAGS } from '../../support/admin.js';
import { certificateJson, refusal } from '../../support/manager-generations.js';
import { openStage, type Stage } from '../../support/stage.js';
import { startProgram, type Program } from '../../support/program.js';
import { eventuallySees } from '../../support/eventually.js';
import { eventuallyServes, fingerprintOf, visit } from '../../support/visit.js';

const DEFAULT = 'default.invalid';

describe('An expire of a domain', () => {
  let stage: Stage;
  let program: Program;

  before(async () => {
    stage = await openStage();
    program = await startProgram([
      ...ADMIN_FLAGS,
      ...stage.managerFlags,
      ...['--enable-autocert', 'true', '--autocert-allow', '*.order.test', '--autocert-holdoff', '600'],
      ...['--cert-cache-duration', '600', '--error-cache-duration', '600', '--lru-cache-duration', '0.05'],
      // Answers are held back by the tests, on machines of any load.
      ...['--lookup-timeout', '20'],
    ]);
  });
  after(async () => {
    await program[Symbol.asyncDispose]();
    await stage.close();
  });

  const queries = (name: string): number => stage.manager.requestsFor('GET', name).length;
  const orders = (name: string): number => stage.manager.requestsFor('POST', name).length;
  const expire = async (name: string): Promise<void> => {
    const { status, json } = await admin(program, `/expire/domain/${name}`);
    expect(status).to.equal(200);
    expect(json).to.include({ result: 'success', domain: name });
  };
  const keys = async (): Promise<Record<'valid' | 'invalid' | 'autocert', string[]>> =>
    (await admin(program, '/status')).json?.['keys'] as never;
  const eventuallyTier = (name: string, tier: string) =>
    eventuallySees(
      `${name} is answered by ${tier}`,
      () => visit(program, name),
      (seen) => seen.tier === tier,
    );

  it('removes the certificate: the next look-up goes to the sources', async () => {
    const [old, renewed] = [await stage.ca.issue(['a.test']), await stage.ca.issue(['a.test'])];
    stage.manager.setCertificate('a.test', old);
    await visit(program, 'a.test');
    stage.manager.setCertificate('a.test', renewed);
    const cached = await eventuallyTier('a.test', 'cache');
    expect(cached.fingerprint).to.equal(fingerprintOf(old));
    expect(queries('a.test')).to.equal(1);
    expect((await keys()).valid).to.include('a.test');
    await expire('a.test');
    expect((await keys()).valid).not.to.include('a.test');
    expect((await eventuallyServes(program, 'a.test', renewed)).tier).to.equal('manager');
    expect(queries('a.test')).to.equal(2);
  });

  it('removes a certificate that is withdrawn: it does not come back from anywhere', async () => {
    stage.manager.setCertificate('gone.test', await stage.ca.issue(['gone.test']));
    expect((await visit(program, 'gone.test')).names).to.equal('gone.test');
    stage.manager.answer('GET', 'gone.test', { status: 500, body: 'out of order' });
    await expire('gone.test');
    await eventuallySees(
      'the default is served',
      () => visit(program, 'gone.test'),
      ({ names }) => names === DEFAULT,
    );
  });

  it('removes the memory of a name without a certificate', async () => {
    expect((await visit(program, 'none.test')).names).to.equal(DEFAULT);
    expect((await keys()).invalid).to.include('none.test');
    const pair = await stage.ca.issue(['none.test']);
    stage.manager.setCertificate('none.test', pair);
    await expire('none.test');
    expect((await keys()).invalid).not.to.include('none.test');
    await eventuallyServes(program, 'none.test', pair);
    expect(queries('none.test')).to.equal(2);
  });

  it('removes the memory of a failure', async () => {
    const pair = await stage.ca.issue(['error.test']);
    stage.manager.setCertificate('error.test', pair);
    stage.manager.answer('GET', 'error.test', { status: 500, body: 'out of order', times: 1 });
    expect((await visit(program, 'error.test')).names).to.equal(DEFAULT);
    expect(await keys()).to.satisfy(({ valid, invalid }: Awaited<ReturnType<typeof keys>>) =>
      [...valid, ...invalid].every((name) => name !== 'error.test'),
    );
    await expire('error.test');
    await eventuallyServes(program, 'error.test', pair);
    expect(queries('error.test')).to.equal(2);
  });

  it('ends the hold-off of a name whose order has failed', async () => {
    const name = 'a.order.test';
    const pair = await stage.ca.issue([name]);
    stage.manager.onAutocert(name, () => ({ body: refusal() }));
    expect((await visit(program, name)).names).to.equal(DEFAULT);
    await eventuallySees(
      'the order was made',
      () => orders(name),
      (count) => count === 1,
    );
    stage.manager.issue(name, pair);
    await expire(name);
    await eventuallyServes(program, name, pair);
    expect(orders(name)).to.equal(2);
  });

  it('is a success for a name that nobody has ever asked for', async () => {
    await expire('unheard-of.test');
    expect(queries('unheard-of.test')).to.equal(0);
  });

  it('keeps the answer of a look-up that began before it from being stored', async () => {
    const name = 'flight.test';
    const [old, renewed] = [await stage.ca.issue([name]), await stage.ca.issue([name])];
    let land: (value?: unknown) => void = () => undefined;
    stage.manager.setCertificate(name, renewed);
    stage.manager.answer('GET', name, {
      body: {
        Domain: { id: '1', domain_name: name },
        x509_certificate__latest_single: certificateJson(old),
        x509_certificate__latest_multi: null,
      },
      until: new Promise((resolve) => (land = resolve)),
      times: 1,
    });
    const early = visit(program, name);
    await stage.manager.received(1, ({ url }) => url.includes(name));
    await expire(name);
    land();
    // Who waited for it has it; nobody else ever has.
    expect((await early).fingerprint).to.equal(fingerprintOf(old));
    expect((await keys()).valid).not.to.include(name);
    const next = await visit(program, name);
    expect(next).to.include({ fingerprint: fingerprintOf(renewed), tier: 'manager' });
    expect(queries(name)).to.equal(2);
  });

  it('has a handshake that comes after it not wait for the look-up that began before', async () => {
    const name = 'overtaken.test';
    const renewed = await stage.ca.issue([name]);
    let land: (value?: unknown) => void = () => undefined;
    const held = new Promise((resolve) => (land = resolve));
    stage.manager.setCertificate(name, renewed);
    stage.manager.answer('GET', name, { status: 500, body: 'late', until: held, times: 1 });
    const early = visit(program, name);
    await stage.manager.received(1, ({ url }) => url.includes(name));
    // Another worker's LRU must not be asked: the program has one worker, which coalesces; a reload empties it.
    await program.reload();
    await expire(name);
    try {
      const next = await visit(program, name);
      expect(next.fingerprint).to.equal(fingerprintOf(renewed));
    } finally {
      land();
    }
    await early;
    expect((await visit(program, name)).fingerprint).to.equal(fingerprintOf(renewed));
  });

  it('is not needed to see what is ordered: the status lists it as long as that lasts', async () => {
    const name = 'b.order.test';
    const pair = await stage.ca.issue([name]);
    let issue: (value?: unknown) => void = () => undefined;
    stage.manager.issue(name, pair, new Promise((resolve) => (issue = resolve)));
    const starter = visit(program, name);
    await stage.manager.received(1, ({ method, body }) => method === 'POST' && body.includes(name));
    expect((await keys()).autocert).to.deep.equal([name]);
    issue();
    expect((await starter).fingerprint).to.equal(fingerprintOf(pair));
    const { valid, autocert } = await keys();
    expect(autocert).to.deep.equal([]);
    expect(valid).to.include(name);
  });
});
