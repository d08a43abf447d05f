/**
 * A stop while the file system of the certificate directory does not answer, as a network file system may do.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { makeTempDir, makeTestCa, writePair } from '../../support/certificates.js';
import { eventually } from '../../support/eventually.js';
import { startProgram } from '../../support/program.js';

describe('A certificate directory that does not answer', () => {
  it('does not keep the program from its end', async () => {
    const { dir, remove } = await makeTempDir();
    try {
      const certs = join(dir, 'certs');
      const [fifo, begin, hung] = ['fifo', 'begin', 'hung'].map((file) => join(dir, file)) as [
        string,
        string,
        string,
      ];
      await mkdir(certs);
      await writePair(join(certs, 'a'), await (await makeTestCa()).issue(['a.test']));
      execFileSync('mkfifo', [fifo]);
      // Whoever looks there then holds a thread, as with a hung mount: a FIFO is opened when somebody else opens it, too.
      const preload = join(dir, 'hang.mjs');
      await writeFile(
        preload,
        `import fs from 'node:fs';
        import { syncBuiltinESMExports } from 'node:module';
        const [certs, fifo, begin, hung] = ${JSON.stringify([certs, fifo, begin, hung])};
        const { stat } = fs;
        fs.stat = (path, ...rest) => {
          if (!String(path).startsWith(certs) || !fs.existsSync(begin)) return stat(path, ...rest);
          fs.writeFileSync(hung, '');
          fs.open(fifo, 'r', () => undefined);
        };
        syncBuiltinESMExports();`,
      );
      await using program = await startProgram(['--cert-dir', certs, '--cert-dir-interval', '0.1'], {
        nodeFlags: ['--import', preload],
      });
      await writeFile(begin, '');
      await eventually('the directory hangs', () => existsSync(hung));
      program.kill('SIGTERM');
      // Its own signal, which ends it whatever its threads do.
      expect(await program.exited).to.deep.equal({ code: null, signal: 'SIGTERM' });
      expect(program.log.map(({ msg }) => msg)).to.include.members(['source not closed', 'stopped']);
    } finally {
      await remove();
    }
  });
});
