import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdir, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ProxyError } from '../../../../lib/domain/errors.js';
import { DirectorySource } from '../../../../lib/sources/directory/source.js';
import { makeTempDir, makeTestCa, writePair } from '../../../support/certificates.js';
import { describeSourceContract } from '../../../support/source-contract.js';
import { chains, DirectoryStage, look } from './stage.js';

const run = promisify(execFile);

describeSourceContract(
  'directory',
  async () => {
    const { dir, remove } = await makeTempDir();
    await writePair(join(dir, 'some-folder'), await (await makeTestCa()).issue(['known.test']));
    const source = await DirectorySource.open({ dir, now: Date.now });
    return { source, dir, nameWithCertificate: 'known.test', nameAbsent: 'unknown.test', stop: remove };
  },
  {
    provide: async ({ dir, source }, name, pair) => {
      await writePair(join(dir, name), pair);
      await source.reload();
    },
  },
);

describe('DirectorySource', () => {
  const on = new DirectoryStage();

  describe('finding certificates', () => {
    it('goes by the names in them, not by the names of their folders', async () => {
      const pair = await on.place('misleading.test', ['a.test', 'b.test']);
      const source = await on.open();
      expect(await chains(source, 'a.test')).to.deep.equal([[pair.chainPem]]);
      expect(await chains(source, 'b.test')).to.deep.equal([[pair.chainPem]]);
      expect(await look(source, 'misleading.test')).to.deep.equal({ kind: 'absent' });
    });

    it("reads certbot's live folders, whose files are links into its archive", async () => {
      const pair = await on.ca.issue(['a.test']);
      await writePair(join(on.dir, 'archive', 'a.test'), pair);
      const live = join(on.dir, 'live', 'a.test-0001');
      await mkdir(live, { recursive: true });
      for (const file of ['fullchain.pem', 'privkey.pem']) {
        await symlink(`../../archive/a.test/${file}`, join(live, file));
      }
      await writeFile(join(on.dir, 'live', 'README'), 'This directory contains your keys and certificates.');
      const source = await on.open(join(on.dir, 'live'));
      expect(await chains(source, 'a.test')).to.deep.equal([[pair.chainPem]]);
      expect(on.errors).to.deep.equal([]);
    });

    it('reads the directory itself and folders that are links, and no hidden ones', async () => {
      await on.place('certs', ['top.test']);
      await on.place('elsewhere/linked', ['linked.test']);
      await symlink(join(on.dir, 'elsewhere', 'linked'), join(on.dir, 'certs', 'link'));
      await on.place('certs/.hidden', ['hidden.test']);
      const source = await on.open(join(on.dir, 'certs'));
      const kinds = await Promise.all(
        ['top.test', 'linked.test', 'hidden.test'].map(async (name) => (await look(source, name)).kind),
      );
      expect(kinds).to.deep.equal(['found', 'found', 'absent']);
      await rm(join(on.dir, 'certs', 'link'));
      await source.reload();
      expect((await look(source, 'linked.test')).kind).to.equal('absent');
    });

    it('reads a certificate that has no subject', async () => {
      const name = `${'x'.repeat(63)}.example.test`;
      const pair = await on.place('a', [name]);
      expect(new X509Certificate(pair.chainPem).subject).to.equal(undefined);
      expect(await chains(await on.open(), name)).to.deep.equal([[pair.chainPem]]);
    });

    it('takes the common name where there are no alternative names', async () => {
      const folder = join(on.dir, 'a');
      await mkdir(folder);
      await run('openssl', [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '9'],
        ...['-subj', '/O=other.test/CN=Old.test', '-keyout', join(folder, 'privkey.pem')],
        ...['-out', join(folder, 'fullchain.pem')],
      ]);
      const source = await on.open();
      expect((await look(source, 'old.test')).kind).to.equal('found');
      expect((await look(source, 'other.test')).kind).to.equal('absent');
      expect(on.errors).to.deep.equal([]);
    });

    it('is not taken in by a name that looks like a list of names', async () => {
      await on.place('a', ['a.test', 'x, DNS:victim.test, DNS:y']);
      const source = await on.open();
      expect((await look(source, 'victim.test')).kind).to.equal('absent');
      expect((await look(source, 'a.test')).kind).to.equal('found');
    });

    it('hands over chains with their intermediates', async () => {
      const pair = await (await on.ca.intermediate()).issue(['a.test']);
      await writePair(join(on.dir, 'a'), pair);
      expect(await chains(await on.open(), 'a.test')).to.deep.equal([[pair.chainPem]]);
      expect(pair.chainPem.match(/BEGIN/g)).to.have.length(2);
    });
  });

  describe('a bad folder', () => {
    const bad = (...path: string[]): string => join(on.dir, 'bad', ...path);
    const cases: { title: string; spoil: () => Promise<void>; reason: RegExp; kind: string }[] = [
      {
        title: 'with junk for a chain',
        spoil: () => writeFile(bad('fullchain.pem'), 'junk'),
        reason: /no PEM certificate/,
        kind: 'unavailable',
      },
      {
        title: 'with an empty chain',
        spoil: () => writeFile(bad('fullchain.pem'), ''),
        reason: /no PEM certificate/,
        kind: 'unavailable',
      },
      {
        title: 'with a chain that is cut off',
        spoil: async () => {
          await writePair(bad(), await (await on.ca.intermediate()).issue(['bad.test']));
          await truncate(bad('fullchain.pem'), 1000);
        },
        reason: /cut off/,
        kind: 'unavailable',
      },
      {
        title: 'with the key of another certificate',
        spoil: async () => writeFile(bad('privkey.pem'), (await on.ca.issue(['x.test'])).keyPem),
        reason: /does not belong/,
        kind: 'unavailable',
      },
      {
        title: 'with junk for a key',
        spoil: () => writeFile(bad('privkey.pem'), 'junk'),
        reason: /key cannot be parsed/,
        kind: 'unavailable',
      },
      {
        title: 'without its key',
        spoil: () => rm(bad('privkey.pem')),
        reason: /privkey\.pem/,
        kind: 'unavailable',
      },
      {
        title: 'without its chain',
        spoil: () => rm(bad('fullchain.pem')),
        reason: /fullchain\.pem/,
        kind: 'unavailable',
      },
      {
        title: 'whose links lead nowhere',
        spoil: async () => {
          for (const file of ['fullchain.pem', 'privkey.pem']) {
            await rm(bad(file));
            await symlink('../gone', bad(file));
          }
        },
        reason: /fullchain\.pem/,
        kind: 'unavailable',
      },
      {
        title: 'with a folder where the chain should be',
        spoil: async () => {
          await rm(bad('fullchain.pem'));
          await mkdir(bad('fullchain.pem'));
        },
        reason: /not a file/,
        kind: 'unavailable',
      },
      {
        title: 'with a file that no chain can be as long as',
        spoil: () => truncate(bad('fullchain.pem'), 2 ** 40),
        reason: /longer than/,
        kind: 'unavailable',
      },
      {
        title: 'with a certificate that names no host',
        spoil: async () => writePair(bad(), await on.ca.issue(['no host'])).then(() => undefined),
        reason: /names no host/,
        kind: 'absent',
      },
    ];
    for (const { title, spoil, reason, kind } of cases) {
      it(`${title} is logged once and left out, and the others are served`, async () => {
        await on.place('bad', ['bad.test']);
        await on.place('good', ['good.test']);
        await spoil();
        const source = await on.open();
        await on.poll();
        await on.poll();
        expect(on.errors).to.have.length(1);
        expect(on.errors[0]!.message).to.match(reason);
        expect(on.errors[0]!.message).not.to.include('PRIVATE KEY');
        expect(on.errors[0]!.fields).to.deep.equal({ folder: bad() });
        expect((await look(source, 'good.test')).kind).to.equal('found');
        // Half an entry is not the same as none.
        expect(await look(source, 'bad.test')).to.include(
          kind === 'absent' ? { kind } : { kind, scope: 'name' },
        );
      });
    }

    it('is logged again when it is bad in another way, but not when it was only touched', async () => {
      await on.place('bad', ['bad.test']);
      await writeFile(bad('privkey.pem'), 'junk');
      await on.open();
      await utimes(bad('fullchain.pem'), 1, 1);
      await on.poll();
      expect(on.errors).to.have.length(1);
      await writeFile(bad('privkey.pem'), 'other junk');
      await on.poll();
      await on.poll();
      expect(on.errors).to.have.length(2);
    });

    it('does not stand in the way of a good certificate of the same name', async () => {
      const pair = await on.place('good', ['bad.test']);
      await on.place('bad', ['bad.test']);
      await writeFile(bad('privkey.pem'), 'junk');
      expect(await chains(await on.open(), 'bad.test')).to.deep.equal([[pair.chainPem]]);
    });

    it('is used once it has been put right, though only the key has changed', async () => {
      const pair = await on.place('bad', ['bad.test']);
      await writeFile(bad('privkey.pem'), 'junk');
      const source = await on.open();
      expect((await look(source, 'bad.test')).kind).to.equal('unavailable');
      await writeFile(bad('privkey.pem'), pair.keyPem);
      await on.poll();
      expect(await chains(source, 'bad.test')).to.deep.equal([[pair.chainPem]]);
    });
  });

  describe('opening', () => {
    it('refuses a directory that is missing, or is none, and names it', async () => {
      await writeFile(join(on.dir, 'file'), '');
      for (const where of [join(on.dir, 'missing'), join(on.dir, 'file')]) {
        const thrown: unknown = await on.open(where).catch((error: unknown) => error);
        expect(thrown).to.be.instanceOf(ProxyError);
        expect(thrown).to.include({ code: 'ERR_USAGE' });
        expect((thrown as ProxyError).message).to.include(where);
      }
    });

    it('accepts one that is still empty', async () => {
      expect(await look(await on.open(), 'a.test')).to.deep.equal({ kind: 'absent' });
    });
  });
});
