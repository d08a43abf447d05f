/**
 * The second start on a large certificate directory: it reads only what has changed, and serves what is on disk.
 */
import { cp, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { makeTempDir, makeTestCa, writePair } from '../../support/certificates.js';
import { eventually } from '../../support/eventually.js';
import { startProgram } from '../../support/program.js';
import { fingerprintOf, visit } from '../../support/visit.js';

/** More than are read with their keys at every start. */
const OTHERS = 101;
/** A file is trusted to be as it was when it was not changed just before it was looked at. */
const TICK_MS = 2_000;
/** Seconds since 1970: what the files say of themselves, of both runs. */
const WRITTEN = 1_700_000_000;

describe('A certificate directory at the second start', () => {
  it('serves what has changed meanwhile, though size and time are the same, and drops what is gone', async () => {
    const { dir, remove } = await makeTempDir();
    try {
      const certs = join(dir, 'certs');
      const ca = await makeTestCa();
      const first = await ca.issue(['changed.test']);
      const room = '\n'.repeat(40);
      const { chainPath, keyPath } = await writePair(join(certs, 'changed'), {
        chainPem: first.chainPem + room,
        keyPem: first.keyPem + room,
      });
      for (const path of [chainPath, keyPath]) await utimes(path, WRITTEN, WRITTEN);
      await writePair(join(certs, 'gone'), await ca.issue(['gone.test']));
      const { chainPath: othersPath } = await writePair(join(certs, 'other'), await ca.issue(['other.test']));
      for (let index = 1; index < OTHERS; index += 1) {
        await cp(join(othersPath, '..'), join(certs, `other-${index}`), { recursive: true });
      }
      const last = await stat(join(certs, `other-${OTHERS - 1}`, 'privkey.pem'));
      await eventually('the files are no longer young', () => Date.now() - last.ctimeMs > TICK_MS);

      const flags = ['--cert-dir', certs, '--state-dir', join(dir, 'state')];
      const read = 'the certificate directory is read';
      {
        await using program = await startProgram(flags);
        expect(await program.logged(read)).to.include({ certificates: OTHERS + 2, remembered: 0 });
        expect((await visit(program, 'changed.test')).fingerprint).to.equal(fingerprintOf(first));
        expect((await visit(program, 'gone.test')).tier).to.equal('directory');
      }
      const second = await ca.issue(['changed.test']);
      for (const [path, text] of [
        [chainPath, second.chainPem],
        [keyPath, second.keyPem],
      ] as const) {
        const { size, mtimeNs } = await stat(path, { bigint: true });
        await writeFile(`${path}.new`, text.padEnd(Number(size), '\n'));
        await utimes(`${path}.new`, WRITTEN, WRITTEN);
        await rename(`${path}.new`, path);
        expect(await stat(path, { bigint: true })).to.include({ size, mtimeNs });
      }
      await rm(join(certs, 'gone'), { recursive: true });
      {
        await using program = await startProgram(flags);
        expect(await program.logged(read)).to.include({ certificates: OTHERS + 1, remembered: OTHERS });
        expect((await visit(program, 'changed.test')).fingerprint).to.equal(fingerprintOf(second));
        expect((await visit(program, 'other.test')).tier).to.equal('directory');
        expect((await visit(program, 'gone.test')).tier).not.to.equal('directory');
      }
    } finally {
      await remove();
    }
  });
});
