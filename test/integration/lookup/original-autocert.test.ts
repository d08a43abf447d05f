/**
 * The autocert scenarios of the OpenResty plugin's own test suite, one test each.
 */
import { expect } from 'chai';
import { formError, managerRecordings, refusal } from '../../support/manager-generations.js';
import { startProgram, type Program } from '../../support/program.js';
import { openStage, type Stage } from '../../support/stage.js';
import { eventuallyServes, fingerprintOf, visit } from '../../support/visit.js';

describe("The original's autocert scenarios", () => {
  let stage: Stage;
  let program: Program;
  before(async () => {
    stage = await openStage();
    program = await startProgram([...stage.redisFlags(1), ...stage.managerFlags, '--enable-autocert']);
  });
  after(async () => {
    await program[Symbol.asyncDispose]();
    await stage.close();
  });

  const orders = (name: string): number => stage.manager.requestsFor('POST', name).length;

  it('existing: a name that has a certificate is served from the query, and not ordered', async () => {
    const pair = await stage.ca.issue(['existing.test']);
    stage.manager.setCertificate('existing.test', pair);
    expect(await visit(program, 'existing.test')).to.include({
      tier: 'manager',
      fingerprint: fingerprintOf(pair),
    });
    expect(orders('existing.test')).to.equal(0);
  });

  it('new: an unknown name is ordered, and the handshake that asked for it gets the certificate', async () => {
    const pair = await stage.ca.issue(['new.test']);
    stage.manager.issue('new.test', pair);
    const seen = await visit(program, 'new.test');
    expect(seen.fingerprint).to.equal(fingerprintOf(pair));
    // An order that is done before the worker comes back to wait for it is answered from the cache.
    expect(seen.tier).to.be.oneOf(['manager', 'cache']);
    const [order] = stage.manager.requestsFor('POST', 'new.test');
    expect(order?.body).to.equal('domain_name=new.test');
    expect(order?.url).to.match(/\/api\/domain\/autocert\.json\?openresty=1$/);
  });

  it('failing order: the default is served, and the log has the words of the manager', async () => {
    stage.manager.onAutocert('failing.test', () => ({ body: refusal('the challenge could not be reached') }));
    expect((await visit(program, 'failing.test')).tier).to.equal('default');
    const line = await program.logged('the order was refused', { name: 'failing.test' });
    expect(line).to.include({ level: 'err', reason: 'the challenge could not be reached' });
  });

  it('failing fetch: an order that breaks off is the default, and held off like one that was refused', async () => {
    stage.manager.answer('POST', 'broken.test', { closeWithoutAnswer: true });
    expect((await visit(program, 'broken.test')).tier).to.equal('default');
    const line = await program.logged('the order failed', { name: 'broken.test' });
    expect(line.level).to.equal('err');
    expect(line['reason']).to.match(/closed the connection before its answer was complete/);
    expect(line['holdoffMs']).to.equal(900_000);
    expect(orders('broken.test')).to.equal(1);
  });

  it('help document: an answer without a result is no certificate and no crash', async () => {
    const help = managerRecordings().find(({ file }) => file.startsWith('046-autocert-get'));
    stage.manager.answer('POST', 'help.test', { body: help?.response.body });
    expect((await visit(program, 'help.test')).tier).to.equal('default');
    const line = await program.logged('the order failed', { name: 'help.test' });
    expect(line['reason']).to.equal('it answered an order without a result');
  });

  it('form errors: what the form says is logged', async () => {
    stage.manager.onAutocert('form.test', () => ({
      body: formError('Autocert is not configured on this system.'),
    }));
    expect((await visit(program, 'form.test')).tier).to.equal('default');
    const line = await program.logged('the order was refused', { name: 'form.test' });
    expect(line['reason']).to.equal('Autocert is not configured on this system.');
  });

  it("form errors: 'already active' is no failure, and the certificate is served once it is there", async () => {
    const pair = await stage.ca.issue(['active.test']);
    stage.manager.onAutocert('active.test', () => ({
      body: formError('There is an active or recent autocert attempt for this domain.'),
    }));
    expect((await visit(program, 'active.test')).tier).to.equal('default');
    await program.logged('an order is under way already', { name: 'active.test' });
    stage.manager.setCertificate('active.test', pair);
    await eventuallyServes(program, 'active.test', pair);
    expect(orders('active.test')).to.equal(1);
    expect(program.log.filter(({ name, level }) => name === 'active.test' && level === 'err')).to.deep.equal(
      [],
    );
  });
});
