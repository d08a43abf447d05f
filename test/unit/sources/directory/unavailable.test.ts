import { expect } from 'chai';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Lookup } from '../../../../lib/domain/lookup.js';
import { writePair } from '../../../support/certificates.js';
import { chains, DirectoryStage, look } from './stage.js';

describe('DirectorySource with what cannot be read', () => {
  const on = new DirectoryStage();
  const at = (...path: string[]): string => join(on.dir, ...path);
  /** Nobody may read a link to itself, be he root. */
  const loop = async (path: string): Promise<void> => {
    await rm(path, { recursive: true, force: true });
    await symlink(path, path);
  };
  const expectUnavailable = (result: Lookup, ...words: string[]): void => {
    expect(result).to.include({ kind: 'unavailable', scope: 'name' });
    for (const word of words) expect('reason' in result && result.reason).to.include(word);
  };

  const never: Record<string, () => Promise<void>> = {
    'a chain that is junk': () => writeFile(at('bad', 'fullchain.pem'), 'junk'),
    'a chain that cannot be opened': () => loop(at('bad', 'fullchain.pem')),
    'a folder that cannot be opened': () => loop(at('bad')),
    'a chain that is cut off before anything can be told': () =>
      writeFile(at('bad', 'fullchain.pem'), '-----BEGIN CERTIFICATE-----\nMIIB'),
  };
  for (const [what, spoil] of Object.entries(never)) {
    it(`knows nothing of any unknown name while there is ${what}, and goes on with the others`, async () => {
      const pair = await on.place('good', ['good.test']);
      await on.place('bad', ['bad.test']);
      await spoil();
      const source = await on.open();
      for (const name of ['bad.test', 'unknown.test', '*.bad.test']) {
        expectUnavailable(await look(source, name), `an unreadable entry in ${on.dir}: `, at('bad'));
      }
      expect(await chains(source, 'good.test')).to.deep.equal([[pair.chainPem]]);
      expect(on.errors).to.have.length(1);
      await rm(at('bad'), { recursive: true });
      await on.poll();
      expect(await look(source, 'unknown.test')).to.deep.equal({ kind: 'absent' });
      expect(on.told).to.deep.equal([undefined]);
    });
  }

  it('keeps the trouble to the names of the certificate where only its key is bad', async () => {
    await on.place('bad', ['bad.test', '*.bad.test']);
    await loop(at('bad', 'privkey.pem'));
    const source = await on.open();
    for (const name of ['bad.test', 'www.bad.test', '*.bad.test']) {
      expectUnavailable(await look(source, name), at('bad', 'privkey.pem'));
    }
    expect(await look(source, 'unknown.test')).to.deep.equal({ kind: 'absent' });
  });

  for (const what of ['fullchain.pem', 'privkey.pem', '.']) {
    it(`goes on serving what it had when ${what === '.' ? 'a folder' : what} cannot be read any more`, async () => {
      const pair = await on.place('a', ['a.test']);
      const source = await on.open();
      await rename(at('a'), at('.aside'));
      if (what !== '.') await writePair(at('a'), pair);
      await loop(at('a', what));
      for (let polls = 0; polls < 3; polls += 1) {
        await on.poll();
        expect(await chains(source, 'a.test')).to.deep.equal([[pair.chainPem]]);
        expect(await look(source, 'unknown.test')).to.deep.equal({ kind: 'absent' });
      }
      expect(on.errors).to.have.length(1);
      expect(on.errors[0]?.fields).to.deep.equal({ folder: at('a') });
    });
  }

  it('is unavailable for what it had and has not in memory, when that cannot be read any more', async () => {
    await on.place('a', ['a.test']);
    const source = await on.open(on.dir, { maxKeysChecked: 0 });
    await loop(at('a'));
    await on.poll();
    expectUnavailable(await look(source, 'a.test'), at('a'));
  });

  it('takes half an entry for none only when the other half is gone, too', async () => {
    await writeFile(at('a.crt'), (await on.ca.issue(['a.test'])).chainPem);
    const first = await on.open();
    expect((await look(first, 'a.test')).kind, 'a chain without a key').to.equal('absent');
    const pair = await on.ca.issue(['a.test']);
    await writeFile(at('a.crt'), pair.chainPem);
    await writeFile(at('a.key'), pair.keyPem);
    await on.poll();
    await rm(at('a.crt'));
    await on.poll();
    expect(await chains(first, 'a.test')).to.deep.equal([[pair.chainPem]]);
    await rm(at('a.key'));
    await on.poll();
    expect(await look(first, 'a.test')).to.deep.equal({ kind: 'absent' });
    expect(on.told.at(-1)).to.deep.equal(['a.test']);
  });

  it('says absent when the last certificate has been removed', async () => {
    await on.place('a', ['a.test']);
    const source = await on.open();
    await rm(at('a'), { recursive: true });
    await on.poll();
    expect(await look(source, 'a.test')).to.deep.equal({ kind: 'absent' });
    expect(on.told).to.deep.equal([['a.test']]);
    expect(on.errors).to.deep.equal([]);
  });

  it('drops nothing when the directory is gone, be it given with a slash at its end', async () => {
    const pair = await on.place('certs/a', ['a.test']);
    const source = await on.open(`${at('certs')}/`);
    await rename(at('certs'), at('aside'));
    await on.poll();
    expect(await chains(source, 'a.test')).to.deep.equal([[pair.chainPem]]);
    expectUnavailable(await look(source, 'unknown.test'), at('certs'));
  });

  it('drops nothing when the directory is unmounted: it is empty, and another one', async () => {
    const pair = await on.place('certs/a', ['a.test']);
    const source = await on.open(at('certs'));
    await rename(at('certs'), at('aside'));
    await mkdir(at('certs'));
    await on.poll();
    await on.poll();
    expect(await chains(source, 'a.test')).to.deep.equal([[pair.chainPem]]);
    expectUnavailable(await look(source, 'unknown.test'), at('certs'), 'unmounted');
    expect(on.errors).to.have.length(1);
    await rm(at('certs'), { recursive: true });
    await rename(at('aside'), at('certs'));
    await on.poll();
    expect(await look(source, 'unknown.test')).to.deep.equal({ kind: 'absent' });
    expect(await chains(source, 'a.test')).to.deep.equal([[pair.chainPem]]);
  });
});
