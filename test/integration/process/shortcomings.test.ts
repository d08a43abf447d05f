import { expect } from 'chai';
import { join } from 'node:path';
import { makeTempDir, makeTestCa, writePair, type TestCa } from '../../support/certificates.js';
import { startProgram } from '../../support/program.js';

describe('What certificates lack', () => {
  let ca: TestCa;
  let dir: string;
  let remove: () => Promise<void>;

  before(async () => {
    ca = await makeTestCa();
    ({ dir, remove } = await makeTempDir());
  });
  after(() => remove());

  it('is said at the start, of the default certificate and of --cert-dir, and by a reload only where it is news', async () => {
    const notAfter = Date.now() + 5 * 86_400_000;
    const given = await writePair(join(dir, 'default'), await ca.issue(['default.test'], { notAfter }));
    const certDir = join(dir, 'live');
    await writePair(join(certDir, 'a.test'), await ca.issue(['a.test'], { notAfter }));
    await using program = await startProgram([
      ...['--default-cert', given.chainPath, '--default-key', given.keyPath],
      ...['--cert-dir', certDir, '--cert-dir-interval', '3600', '--log-level', 'notice'],
    ]);
    const said = (): string[] =>
      program.log
        .filter(({ level, msg }) => level === 'notice' && msg.includes('it expires on'))
        .map(({ msg, names }) => `${String(names)} ${msg.replace(/ it expires on .*/, '')}`);
    const first = [`undefined --default-cert ${given.chainPath}:`, 'a.test a certificate needs attention:'];
    expect(said()).to.deep.equal(first);
    await program.reload();
    expect(said()).to.deep.equal(first);
    await writePair(join(certDir, 'b.test'), await ca.issue(['b.test'], { notAfter }));
    await program.reload();
    expect(said()).to.deep.equal([...first, 'b.test a certificate needs attention:']);
  });
});
