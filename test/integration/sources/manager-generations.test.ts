/**
 * The managers that there are, through the whole program: with each, a handshake gets the certificate, and none of what it
 * answers is taken for an outage.
 */
import { expect } from 'chai';
import { makeTestCa, type TestCa } from '../../support/certificates.js';
import { startFakeManager, type FakeManager } from '../../support/fake-manager.js';
import { certificateJson, MANAGER_SHAPES, type ManagerVersion } from '../../support/manager-generations.js';
import { startProgram, type Program } from '../../support/program.js';
import { fingerprintOf, visit } from '../../support/visit.js';

for (const version of Object.keys(MANAGER_SHAPES) as ManagerVersion[]) {
  describe(`With a manager ${version} under ${MANAGER_SHAPES[version].prefix}`, () => {
    let ca: TestCa;
    let manager: FakeManager;
    let program: Program;
    before(async () => {
      [ca, manager] = await Promise.all([makeTestCa(), startFakeManager({ version })]);
      program = await startProgram([
        ...['--fallback-server', manager.root],
        ...[
          '--enable-autocert',
          '--autocert-allow',
          '*.ordered.test',
          '--autocert-allow',
          'disabled.example.com',
        ],
      ]);
    });
    after(async () => {
      await program[Symbol.asyncDispose]();
      await manager.close();
    });

    for (const slot of ['single', 'multi'] as const) {
      it(`a name is served its certificate (${slot})`, async () => {
        const name = `${slot}.test`;
        const pair = await ca.issue([name]);
        manager.setCertificate(name, pair, { slot });
        expect(await visit(program, name)).to.include({ fingerprint: fingerprintOf(pair), tier: 'manager' });
      });
    }

    it('a name that it has no certificate for is served the default, once it has refused to order one', async () => {
      for (const name of ['bare.example.com', 'nobody.ordered.test', 'disabled.example.com']) {
        expect((await visit(program, name)).tier, name).to.equal('default');
      }
      expect(manager.requestsFor('POST', 'nobody.ordered.test')).to.have.length(1);
    });

    it('a name is served the certificate that it orders', async () => {
      const name = 'new.ordered.test';
      const pair = await ca.issue([name]);
      manager.issue(name, pair);
      expect((await visit(program, name)).fingerprint).to.equal(fingerprintOf(pair));
    });

    it('nothing of all that makes it skipped', async () => {
      for (let index = 0; index < 4; index += 1) await visit(program, `miss-${index}.test`);
      expect(manager.requestsFor('GET', 'miss-3.test')).to.have.length(1);
      expect(program.log.filter(({ msg }) => /^(source|no source) /.test(msg))).to.deep.equal([]);
    });
  });
}

describe('With a manager that does not say which domain it answers for', () => {
  it('a name is served what is for it, never what is not, and the manager is not skipped', async () => {
    const [ca, manager] = await Promise.all([makeTestCa(), startFakeManager()]);
    try {
      await using program = await startProgram(['--fallback-server', manager.root]);
      const answer = async (name: string, certified: string) => {
        const pair = await ca.issue([certified]);
        manager.answer('GET', name, { body: { x509_certificate__latest_single: certificateJson(pair) } });
        return fingerprintOf(pair);
      };
      for (let index = 0; index < 4; index += 1) {
        await answer(`wrong-${index}.test`, 'another.test');
        expect((await visit(program, `wrong-${index}.test`)).tier).to.equal('default');
      }
      const fingerprint = await answer('right.test', 'right.test');
      expect(await visit(program, 'right.test')).to.include({ fingerprint, tier: 'manager' });
      expect(program.log.filter(({ msg }) => msg.startsWith('source '))).to.deep.equal([]);
    } finally {
      await manager.close();
    }
  });
});
