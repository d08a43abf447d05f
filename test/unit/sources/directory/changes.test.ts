import { expect } from 'chai';
import { link, mkdir, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CertificatePair } from '../../../../lib/domain/certificate.js';
import { pathsOf, readEntry } from '../../../../lib/sources/directory/entry.js';
import { DirectoryFiles } from '../../../../lib/sources/directory/files.js';
import { NOTHING_READ, readDirectory } from '../../../../lib/sources/directory/reading.js';
import { writePair } from '../../../support/certificates.js';
import { chains, DAY_MS, DirectoryStage, look } from './stage.js';

describe('DirectorySource telling what has changed', () => {
  const on = new DirectoryStage();
  const at = (...path: string[]): string => join(on.dir, ...path);

  it('names what is new, renewed, replaced and removed, and nothing else', async () => {
    await on.place('a', ['a.test', 'www.a.test']);
    await on.place('b', ['b.test']);
    await on.place('gone', ['gone.test']);
    await on.place('same', ['same.test']);
    await on.open();
    await on.poll();
    expect(on.told).to.deep.equal([]);
    await on.place('a', ['a.test', '*.a.test']);
    await on.place('new', ['new.test']);
    await rm(at('gone'), { recursive: true });
    await on.poll();
    await on.poll();
    expect(on.told).to.deep.equal([['*.a.test', 'a.test', 'gone.test', 'new.test', 'www.a.test']]);
  });

  it('tells it when look-ups have the new answer, and before a reload ends', async () => {
    const source = await on.open();
    const pair = await on.place('a', ['a.test']);
    const heard: Promise<string[][]>[] = [];
    source.onChange(() => heard.push(chains(source, 'a.test')));
    await source.reload();
    expect(await Promise.all(heard)).to.deep.equal([[[pair.chainPem]]]);
  });

  it('does not tell of files that were only touched', async () => {
    await on.place('a', ['a.test']);
    const source = await on.open();
    await utimes(at('a', 'fullchain.pem'), 1, 1);
    await utimes(at('a', 'privkey.pem'), 1, 1);
    await source.reload();
    expect(on.told).to.deep.equal([]);
  });

  it('names those of a certificate that cannot be read any more, and that can be again', async () => {
    const pair = await on.place('a', ['a.test']);
    await on.open();
    await writeFile(at('a', 'privkey.pem'), 'junk');
    await on.poll();
    await writeFile(at('a', 'privkey.pem'), pair.keyPem);
    await on.poll();
    expect(on.told).to.deep.equal([['a.test'], ['a.test']]);
  });

  it('says that any name may have changed when there are very many', async () => {
    const source = await on.open();
    await on.place(
      'many',
      Array.from({ length: 1_001 }, (_, index) => `n${index}.test`),
    );
    await source.reload();
    expect(on.told).to.deep.equal([undefined]);
  });

  it('says that any name may have changed when nobody knew the names of what can be read now', async () => {
    await on.place('a', ['a.test']);
    const pair = await on.ca.issue(['bad.test']);
    await writePair(at('bad'), { ...pair, chainPem: 'junk' });
    const source = await on.open();
    await writePair(at('bad'), pair);
    await source.reload();
    expect(on.told).to.deep.equal([undefined]);
    expect(await chains(source, 'bad.test')).to.deep.equal([[pair.chainPem]]);
  });

  it('goes on where the listener throws', async () => {
    const source = await on.open();
    source.onChange(() => {
      throw new Error('no ear');
    });
    const pair = await on.place('a', ['a.test']);
    await source.reload();
    expect(await chains(source, 'a.test')).to.deep.equal([[pair.chainPem]]);
    expect(on.errors[0]?.fields).to.deep.equal({ error: 'no ear' });
  });
});

describe('DirectorySource missing no change', () => {
  const on = new DirectoryStage();
  const at = (...path: string[]): string => join(on.dir, ...path);
  const changes: Record<string, (pair: CertificatePair) => Promise<void>> = {
    'files that are replaced by renaming': async ({ chainPem, keyPem }) => {
      await writeFile(at('new'), chainPem);
      await rename(at('new'), at('a', 'fullchain.pem'));
      await writeFile(at('new'), keyPem);
      await rename(at('new'), at('a', 'privkey.pem'));
    },
    'a folder that is moved over another': async (pair) => {
      await writePair(at('.new'), pair);
      await rename(at('a'), at('.old'));
      await rename(at('.new'), at('a'));
    },
    'a folder that becomes a link': async (pair) => {
      await writePair(at('.new'), pair);
      await rm(at('a'), { recursive: true });
      await symlink('.new', at('a'));
    },
    'hard links to other files': async (pair) => {
      await writePair(at('.new'), pair);
      for (const file of ['fullchain.pem', 'privkey.pem']) {
        await rm(at('a', file));
        await link(at('.new', file), at('a', file));
      }
    },
    'files of the same size and the same time': async ({ chainPem, keyPem }) => {
      for (const [file, text] of Object.entries({ 'fullchain.pem': chainPem, 'privkey.pem': keyPem })) {
        const { size, atime, mtime } = await stat(at('a', file));
        expect(text.length).to.be.at.most(size);
        await writeFile(at('a', file), text.padEnd(size, '\n'));
        await utimes(at('a', file), atime, mtime);
      }
    },
    'a move to another layout': async ({ chainPem, keyPem }) => {
      await rm(at('a'), { recursive: true });
      await writeFile(at('a.crt'), chainPem);
      await writeFile(at('a.key'), keyPem);
    },
  };
  for (const [what, change] of Object.entries(changes)) {
    it(`sees ${what}`, async () => {
      const first = await on.ca.issue(['a.test']);
      // Text around the certificates: room for another one of the same size.
      const padded = { chainPem: first.chainPem + '\n'.repeat(40), keyPem: first.keyPem + '\n'.repeat(40) };
      await writePair(at('a'), padded);
      const source = await on.open();
      const second = await on.ca.issue(['a.test']);
      await change(second);
      await on.poll();
      expect(await chains(source, 'a.test')).to.deep.equal([[second.chainPem]]);
      expect(on.told).to.deep.equal([['a.test']]);
    });
  }

  it('sees a key that is replaced alone, and keeps the pair that was good', async () => {
    const pair = await on.place('a', ['a.test']);
    const source = await on.open();
    await writeFile(at('a', 'privkey.pem'), (await on.ca.issue(['x.test'])).keyPem);
    await on.poll();
    expect(on.errors.map(({ message }) => message).join()).to.match(/does not belong/);
    const found = await look(source, 'a.test');
    expect(found.kind === 'found' && found.candidates[0]?.[0]).to.deep.equal(pair);
  });

  it('serves a renewal whose key comes a second after the chain, whatever it was asked meanwhile', async () => {
    const before = await on.place('a', ['a.test']);
    const source = await on.open();
    const after = await on.ca.issue(['a.test'], { notBefore: Date.now() - DAY_MS / 48 });
    await writeFile(at('a', 'fullchain.pem'), after.chainPem);
    await on.poll();
    expect(await chains(source, 'a.test')).to.deep.equal([[before.chainPem]]);
    await on.poll();
    expect(await chains(source, 'a.test')).to.deep.equal([[before.chainPem]]);
    await writeFile(at('a', 'privkey.pem'), after.keyPem);
    await on.poll();
    expect(await chains(source, 'a.test')).to.deep.equal([[after.chainPem]]);
    expect(on.told).to.deep.equal([['a.test'], ['a.test']]);
  });

  it('reads files again while another change may leave the same stamp', async () => {
    const context = {
      files: new DirectoryFiles(),
      isKeyWanted: () => true,
      pairOf: () => undefined,
      keep: () => undefined,
    };
    await on.place('a', ['a.test']);
    const paths = pathsOf(at('a'), { chain: ['fullchain.pem'], key: 'privkey.pem' });
    const read = async (nowMs: number, known?: Awaited<ReturnType<typeof readEntry>>) =>
      (await readEntry(paths, known, { ...context, now: () => nowMs }))!;
    const young = await read(Date.now());
    expect(young.isUnsettled).to.equal(true);
    await on.place('a', ['b.test']);
    // As on a file system that counts in seconds: other content, the same stamp.
    const { stamp } = await read(Date.now());
    const again = await read(Date.now() + 60_000, { ...young, stamp });
    expect(again.certificate?.names).to.deep.equal(['b.test']);
    expect(again.isUnsettled).to.equal(false);
    expect(await read(Date.now() + 60_000, again)).to.equal(again);
  });

  it('reads files again that changed while a long reading was under way', async () => {
    await on.place('a', ['a.test']);
    let looks = 0;
    const now = (): number => Date.now() - (looks++ === 0 ? 60_000 : 0);
    const context = {
      root: on.dir,
      files: new DirectoryFiles(),
      now,
      maxKeysChecked: 0,
      pairOf: () => undefined,
      keep: () => undefined,
    };
    const { entries } = await readDirectory(NOTHING_READ, context);
    expect([...entries.values()].map(({ isUnsettled }) => isUnsettled)).to.deep.equal([true]);
  });

  it('does not read files again for ever that are dated in the future', async () => {
    await on.place('a', ['a.test']);
    await utimes(at('a', 'fullchain.pem'), 4_000_000_000, 4_000_000_000);
    const paths = pathsOf(at('a'), { chain: ['fullchain.pem'], key: 'privkey.pem' });
    const context = {
      files: new DirectoryFiles(),
      isKeyWanted: () => false,
      pairOf: () => undefined,
      keep: () => undefined,
    };
    const entry = await readEntry(paths, undefined, { ...context, now: () => Date.now() + 60_000 });
    expect(entry?.isUnsettled).to.equal(false);
  });

  it('sees a certificate in a folder that was empty', async () => {
    await mkdir(at('a'));
    const source = await on.open();
    const pair = await on.place('a', ['a.test']);
    await on.poll();
    expect(await chains(source, 'a.test')).to.deep.equal([[pair.chainPem]]);
  });
});
