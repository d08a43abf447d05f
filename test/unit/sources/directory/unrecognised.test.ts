import { expect } from 'chai';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LOOKED_FOR } from '../../../../lib/sources/directory/layouts.js';
import { DirectoryStage } from './stage.js';

const MESSAGE = 'no certificate was recognised in the certificate directory';

describe('DirectorySource in which nothing is recognised', () => {
  const on = new DirectoryStage();
  const put = async (...paths: string[]): Promise<void> => {
    for (const path of paths) {
      await mkdir(join(on.dir, path, '..'), { recursive: true });
      await writeFile(join(on.dir, path), 'text');
    }
  };
  const said = (): unknown[] =>
    on.notices.filter(({ message }) => message === MESSAGE).map(({ fields }) => fields);

  const cases: [what: string, paths: string[], found: string][] = [
    ['no file', [], 'nothing'],
    ['hidden files alone', ['.fullchain.pem.swp', '.old/a.crt'], 'nothing'],
    ['files of other names', ['server.crt', 'server.txt'], 'server.crt, server.txt'],
    ['files below', ['b/server.crt', 'a.txt', 'b/c/x.der'], 'a.txt, b/server.crt, b/c/x.der'],
    ['more files than are named', ['6', '5', '4', '3', '2', '1'], '1, 2, 3, 4, 5 and more'],
    ['as many as are named', ['5', '4', '3', '2', '1'], '1, 2, 3, 4, 5'],
    ['folders that are left out', ['archive/a.test/cert1.pem', 'README'], 'README, archive/'],
    ['folders too deep', ['1/2/3/4/5/tls.crt'], '1/2/3/4/5/'],
    ['a file that holds something else', ['ca.pem'], 'ca.pem'],
  ];
  for (const [what, paths, found] of cases) {
    it(`says what it has looked for, and names ${what}`, async () => {
      await put(...paths);
      await on.open();
      expect(said()).to.deep.equal([{ dir: on.dir, lookedFor: LOOKED_FOR, found }]);
    });
  }

  it('names a link to a file', async () => {
    await symlink('/etc/hosts', join(on.dir, 'link'));
    await on.open();
    expect(said()).to.deep.equal([{ dir: on.dir, lookedFor: LOOKED_FOR, found: 'link' }]);
  });

  it('says it again at a reload, with what is there then', async () => {
    const source = await on.open();
    await put('new.txt');
    await source.reload();
    expect(said().map((fields) => (fields as { found: string }).found)).to.deep.equal(['nothing', 'new.txt']);
  });

  it('says nothing where a certificate is recognised, though it may be a bad one', async () => {
    await put('fullchain.pem', 'server.txt');
    await on.open();
    expect(said()).to.deep.equal([]);
    expect(on.errors).to.have.length(1);
  });

  it('counts no file that holds something else as a certificate', async () => {
    await put('ca.pem');
    await on.place('a.test', ['a.test']);
    await on.open();
    expect(on.notices[0]?.fields).to.include({ certificates: 1 });
  });
});
