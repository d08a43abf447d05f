/**
 * A reload in the middle of an order.
 */
import { writeFile } from 'node:fs/promises';
import { expect } from 'chai';
import { makeTempDir } from '../../support/certificates.js';
import { refusal } from '../../support/manager-generations.js';
import { startProgram } from '../../support/program.js';
import { openStage, type Stage } from '../../support/stage.js';
import { eventuallyServes, visit } from '../../support/visit.js';

describe('A reload that builds the manager source anew', () => {
  let stage: Stage;
  let files: Awaited<ReturnType<typeof makeTempDir>>;
  before(async () => {
    stage = await openStage();
    files = await makeTempDir();
  });
  after(async () => {
    await files.remove();
    await stage.close();
  });

  const orders = (name: string): number => stage.manager.requestsFor('POST', name).length;
  const start = async (name: string) => {
    const config = `${files.dir}/${name}.yaml`;
    const settings = { 'lookup-timeout': 2, 'cert-cache-duration': 0.1, 'lru-cache-duration': 0.1 };
    await writeFile(config, JSON.stringify(settings));
    const program = await startProgram([...stage.managerFlags, '--enable-autocert', '--config', config]);
    const reload = async (): Promise<void> => {
      await writeFile(config, JSON.stringify({ ...settings, 'lookup-timeout': 3 }));
      expect((await program.reload())['changed']).to.equal('lookup-timeout');
    };
    return { program, reload, [Symbol.asyncDispose]: () => program[Symbol.asyncDispose]() };
  };

  it('while an order is under way: the name is not ordered a second time', async () => {
    const pair = await stage.ca.issue(['under-way.test']);
    let release = (): void => undefined;
    stage.manager.issue('under-way.test', pair, new Promise<void>((resolve) => (release = resolve)));
    await using started = await start('under-way.test');
    const { program, reload } = started;
    const first = visit(program, 'under-way.test');
    await stage.manager.received(1, ({ method }) => method === 'POST');
    await reload();
    for (let time = 0; time < 3; time++) {
      expect((await visit(program, 'under-way.test')).tier).to.equal('default');
    }
    expect(orders('under-way.test')).to.equal(1);
    release();
    await first;
    await eventuallyServes(program, 'under-way.test', pair);
    expect(orders('under-way.test')).to.equal(1);
  });

  it('while an order is under way that fails then: the name is held off all the same', async () => {
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    stage.manager.onAutocert('fails.test', async () => {
      await released;
      return { body: refusal('no') };
    });
    await using started = await start('fails.test');
    const { program, reload } = started;
    const first = visit(program, 'fails.test');
    await stage.manager.received(1, ({ method, body }) => method === 'POST' && body.includes('fails'));
    await reload();
    release();
    await first;
    await program.logged('the order was refused', { name: 'fails.test' });
    const before = stage.manager.requestsFor('GET', 'fails.test').length;
    while (stage.manager.requestsFor('GET', 'fails.test').length < before + 3)
      await visit(program, 'fails.test');
    expect(orders('fails.test')).to.equal(1);
  });
});
