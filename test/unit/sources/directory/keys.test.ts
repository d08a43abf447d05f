import { expect } from 'chai';
import { rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CertificatePair } from '../../../../lib/domain/certificate.js';
import type { ServerName } from '../../../../lib/domain/server-name.js';
import { chains, DAY_MS, DirectoryStage, look } from './stage.js';

/** As at the start of a large directory: certificates are read without their keys. */
const LAZY = { maxKeysChecked: 0 };

describe('DirectorySource reading keys when they are first handed over', () => {
  const on = new DirectoryStage();
  const at = (...path: string[]): string => join(on.dir, ...path);
  const older = { notBefore: Date.now() - 20 * DAY_MS };
  const handedOver = async (pair: CertificatePair, name = 'a.test'): Promise<void> => {
    const found = await look(source, name);
    expect(found.kind === 'found' && found.candidates[0]?.[0]).to.deep.equal(pair);
  };
  let source: Awaited<ReturnType<DirectoryStage['open']>>;

  it('hands over the pair, and does not read it again', async () => {
    const pair = await on.place('a', ['a.test']);
    source = await on.open(on.dir, LAZY);
    await Promise.all([handedOver(pair), handedOver(pair)]);
    await rm(at('a', 'privkey.pem'));
    await handedOver(pair);
  });

  it('opens with bad keys without a word, and tells of each once, when it is wanted', async () => {
    await on.place('a', ['a.test']);
    await on.place('b', ['b.test']);
    await writeFile(at('a', 'privkey.pem'), (await on.ca.issue(['x.test'])).keyPem);
    source = await on.open(on.dir, LAZY);
    expect(on.errors).to.deep.equal([]);
    for (let times = 0; times < 3; times += 1) {
      const result = await look(source, 'a.test');
      expect(result).to.include({ kind: 'unavailable', scope: 'name' });
      expect('reason' in result && result.reason).to.match(/a\/privkey\.pem.*does not belong/);
    }
    expect(on.errors).to.have.length(1);
    expect(on.errors[0]?.fields).to.deep.equal({ folder: at('a') });
    expect(on.errors[0]?.message).not.to.include('PRIVATE KEY');
    expect((await look(source, 'b.test')).kind).to.equal('found');
  });

  it('hands over the next best certificate instead of one whose key is bad', async () => {
    const good = await on.place('old', ['a.test'], older);
    await on.place('new', ['a.test']);
    await truncate(at('new', 'privkey.pem'), 60);
    source = await on.open(on.dir, LAZY);
    expect(await chains(source, 'a.test')).to.deep.equal([[good.chainPem]]);
    expect(on.errors).to.have.length(1);
  });

  it('uses a key that was put right, though nothing else has changed, and tells', async () => {
    const pair = await on.place('a', ['a.test']);
    await writeFile(at('a', 'privkey.pem'), 'junk');
    source = await on.open(on.dir, LAZY);
    expect((await look(source, 'a.test')).kind).to.equal('unavailable');
    await writeFile(at('a', 'privkey.pem'), pair.keyPem);
    await on.poll();
    expect(on.told).to.deep.equal([['a.test']]);
    await handedOver(pair);
  });

  it('goes on with the pair that it has handed over while a renewal is half written', async () => {
    const before = await on.place('a', ['a.test']);
    source = await on.open(on.dir, LAZY);
    await handedOver(before);
    const after = await on.ca.issue(['a.test']);
    await writeFile(at('a', 'fullchain.pem'), after.chainPem);
    await on.poll();
    await handedOver(before);
    await writeFile(at('a', 'privkey.pem'), after.keyPem);
    await on.poll();
    await handedOver(after);
  });

  it('serves files that have changed since they were read, when they are whole', async () => {
    await on.place('a', ['a.test']);
    source = await on.open(on.dir, LAZY);
    await handedOver(await on.place('a', ['a.test']));
  });

  it('tells nothing of a certificate that is read again as it was', async () => {
    await on.place('a', ['a.test']);
    await on.place('b', ['b.test']);
    await on.open(on.dir, { maxKeysChecked: 1 });
    await rm(at('a'), { recursive: true });
    // Its files are still young, so that it is read again, and now a key may be checked.
    await on.poll();
    expect(on.told).to.deep.equal([['a.test']]);
  });

  it('reads so many keys with their certificates, and the others later', async () => {
    const names = Array.from({ length: 60 }, (_, index) => `n${index}`);
    const pair = await on.place('pair', ['a.test']);
    for (const name of names) {
      await writeFile(at(`${name}.crt`), pair.chainPem);
      await writeFile(at(`${name}.key`), 'junk');
    }
    await on.open(on.dir, { maxKeysChecked: 5 });
    expect(on.errors.length).to.be.within(4, 5);
  });

  for (const [end, reason] of [
    ['given up', /given up/],
    ['closed', /closed/],
    ['without an answer from the files for a second', /does not answer/],
  ] as const) {
    it(`settles a look-up that is ${end}, and leaves no timer`, async () => {
      await on.place('a', ['a.test']);
      source = await on.open(on.dir, LAZY);
      const pollOnly = on.time.delaysMs;
      const controller = new AbortController();
      const result = source.lookup('a.test' as ServerName, { signal: controller.signal });
      // All of it before any file can have been read.
      if (end === 'given up') controller.abort();
      else if (end === 'closed') void source.close();
      else await on.time.advance(1_000);
      const settledAs = await result;
      expect(settledAs).to.include({ kind: 'unavailable', scope: 'name' });
      expect('reason' in settledAs && settledAs.reason).to.match(reason);
      expect(on.time.delaysMs.length).to.equal(end === 'closed' ? 0 : pollOnly.length);
    });
  }
});
