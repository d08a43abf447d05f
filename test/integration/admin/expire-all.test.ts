/**
 * `expire/all` has everything looked up afresh. What was known serves on only while no source can tell, and with `hard=1`
 * not even then.
 */
import { expect } from 'chai';
import { admin, ADMIN_FLAGS, SERVER } from '../../support/admin.js';
import { openStage, type Stage } from '../../support/stage.js';
import { startProgram, type Program } from '../../support/program.js';
import { eventuallySees } from '../../support/eventually.js';
import { eventuallyServes, fingerprintOf, visit } from '../../support/visit.js';

describe('An expire of everything', () => {
  let stage: Stage;
  let program: Program;

  before(async () => {
    stage = await openStage();
    program = await startProgram([
      ...ADMIN_FLAGS,
      ...stage.managerFlags,
      ...['--cert-cache-duration', '600', '--lru-cache-duration', '0.05', '--error-cache-duration', '0.05'],
    ]);
  });
  after(async () => {
    await program[Symbol.asyncDispose]();
    await stage.close();
  });

  const queries = (name: string): number => stage.manager.requestsFor('GET', name).length;
  const keys = async (): Promise<unknown> => (await admin(program, '/status')).json?.['keys'];

  it('forgets certificates and misses, and says so', async () => {
    const [old, renewed] = [await stage.ca.issue(['all.test']), await stage.ca.issue(['all.test'])];
    const late = await stage.ca.issue(['miss.test']);
    stage.manager.setCertificate('all.test', old);
    await visit(program, 'all.test');
    await visit(program, 'miss.test');
    expect(await keys()).to.deep.equal({ valid: ['all.test'], invalid: ['miss.test'], autocert: [] });
    stage.manager.setCertificate('all.test', renewed);
    stage.manager.setCertificate('miss.test', late);
    const { status, json } = await admin(program, '/expire/all');
    expect(status).to.equal(200);
    expect(json).to.deep.equal({ result: 'success', expired: 'all', ...SERVER });
    expect(await keys()).to.deep.equal({ valid: [], invalid: [], autocert: [] });
    await eventuallyServes(program, 'all.test', renewed);
    await eventuallyServes(program, 'miss.test', late);
  });

  it('serves what it knew while the sources are unavailable, and the new one as soon as they are back', async () => {
    const name = 'soft.test';
    const [old, renewed] = [await stage.ca.issue([name]), await stage.ca.issue([name])];
    stage.manager.setCertificate(name, old);
    await visit(program, name);
    stage.manager.setCertificate(name, renewed);
    stage.manager.answer('GET', name, { status: 500, body: 'out of order', times: 1 });
    await admin(program, '/expire/all');
    const seen = await eventuallySees(
      'the sources were asked afresh',
      () => visit(program, name),
      () => queries(name) >= 2,
    );
    expect(seen.fingerprint).to.equal(fingerprintOf(old));
    await eventuallyServes(program, name, renewed);
  });

  it('with hard=1 serves nothing of what it knew, whatever the sources say', async () => {
    const name = 'hard.test';
    stage.manager.setCertificate(name, await stage.ca.issue([name]));
    expect((await visit(program, name)).names).to.equal(name);
    stage.manager.answer('GET', name, { status: 500, body: 'out of order', times: 1 });
    const { json } = await admin(program, '/expire/all?hard=1');
    expect(json).to.include({ result: 'success', expired: 'all' });
    await program.logged('expired all', { hard: true });
    const seen = await eventuallySees(
      'the sources were asked afresh',
      () => visit(program, name),
      () => queries(name) === 2,
    );
    expect(seen.names).to.equal('default.invalid');
  });

  for (const query of ['', '?hard=0', '?hard', '?hard=true', '?soft=1']) {
    it(`is not hard for "${query}"`, async () => {
      const before = program.log.filter(({ msg }) => msg === 'expired all').length;
      await admin(program, `/expire/all${query}`);
      expect(await program.logged('expired all', {}, before + 1)).to.include({ hard: false });
    });
  }
});
