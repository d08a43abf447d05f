/**
 * `certificates`, with the real program: what it has cached, and what is in its directory.
 */
import { expect } from 'chai';
import { join } from 'node:path';
import type { CertificateList } from '../../../lib/domain/certificate-list.js';
import { makeTempDir, makeTestCa, writePair } from '../../support/certificates.js';
import { handshake } from '../../support/client.js';
import { startProgram } from '../../support/program.js';
import { runCommand } from '../../support/run-program.js';

const DAY_MS = 86_400_000;

describe('certificates', () => {
  it('lists what is cached and what is on disk, the soonest to end first, and no more than was asked for', async () => {
    const { dir, remove } = await makeTempDir();
    try {
      const ca = await makeTestCa();
      const days = (count: number): number => Date.now() + count * DAY_MS + DAY_MS / 2;
      await writePair(join(dir, 'late'), await ca.issue(['late.example'], { notAfter: days(60) }));
      await writePair(
        join(dir, 'soon'),
        await ca.issue(['soon.example', 'b.example', 'c.example'], { notAfter: days(3), type: 'rsa' }),
      );
      await using program = await startProgram(['--cert-dir', dir, '--internal-ca', 'ca']);
      await handshake({ port: program.port, servername: 'soon.example' });
      await handshake({ port: program.port, servername: 'minted.test' });
      const run = (...argv: string[]): ReturnType<typeof runCommand> =>
        runCommand(['certificates', ...argv], { cwd: program.cwd });

      const { code, stdout } = await run();
      expect(code).to.equal(0);
      const [heads = '', ...rows] = stdout.trimEnd().split('\n');
      expect(heads).to.match(/^ends +on +names +key +issuer +chain +source$/);
      expect(
        rows.map((row) => row.replaceAll(/ \d{4}-.*? UTC/g, '').replaceAll(/ {2,}/g, '|')),
      ).to.deep.equal([
        'in 4 d|soon.example, b.example and 1 more|RSA 2048|Test Root|leaf alone|directory',
        'in 61 d|late.example|EC P-256|Test Root|leaf alone|directory, not cached',
        rows[2]?.replaceAll(/ \d{4}-.*? UTC/g, '').replaceAll(/ {2,}/g, '|'),
      ]);
      expect(rows[2]).to.match(/^in 90 d .* minted\.test .* ca$/);

      const json = async (...argv: string[]): Promise<CertificateList> =>
        JSON.parse((await run('--json', ...argv)).stdout) as CertificateList;
      expect((await json('--expiring', '14d')).certificates.map(({ file }) => file)).to.deep.equal([
        join(dir, 'soon', 'fullchain.pem'),
      ]);
      const limited = await json('--limit', '1');
      expect([limited.certificates.length, limited.more]).to.deep.equal([1, 2]);
      expect((await run('--limit', '2')).stdout).to.match(/\nand 1 certificate more: --limit all\n$/);
      expect(await run('--expiring', 'soon')).to.deep.equal({
        code: 2,
        stdout: '',
        stderr: 'peter-sslers-proxy: --expiring must be a duration, such as 14d or 12h, not "soon"\n',
      });
    } finally {
      await remove();
    }
  });
});
