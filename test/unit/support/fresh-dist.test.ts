import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeTempDir } from '../../support/certificates.js';
import { assertFreshDist } from '../../support/fresh-dist.js';

const run = promisify(execFile);
const { scripts } = createRequire(import.meta.url)('../../../package.json') as {
  scripts: { postbuild: string };
};

describe('Tests of the program', () => {
  let root: string;
  let remove: () => Promise<void>;
  const write = (name: string, text: string): Promise<void> => writeFile(join(root, 'lib', name), text);

  before(async () => {
    ({ dir: root, remove } = await makeTempDir());
    await mkdir(join(root, 'lib/deep'), { recursive: true });
    await write('a.ts', 'export const a = 1;\n');
    await write('deep/é.ts', "export const umlaut = 'ü';\n");
    expect(() => assertFreshDist(root)).to.throw('dist/ is missing: run `npm run build`');
    await mkdir(join(root, 'dist'));
    await run('sh', ['-c', scripts.postbuild], { cwd: root });
  });
  after(() => remove());

  it('run with what was built from the sources as they are', async () => {
    assertFreshDist(root);
    await write('a.ts', 'export const a = 1;\n');
    assertFreshDist(root);
  });

  it('fail when a source has changed, is new, or is gone', async () => {
    await write('a.ts', 'export const a = 2;\n');
    expect(() => assertFreshDist(root)).to.throw(/a\.ts as it is: run `npm run build`/);
    await write('a.ts', 'export const a = 1;\n');
    await write('b.ts', '');
    expect(() => assertFreshDist(root)).to.throw(/b\.ts as it is/);
    await rm(join(root, 'lib/b.ts'));
    assertFreshDist(root);
    await rm(join(root, 'lib/deep/é.ts'));
    expect(() => assertFreshDist(root)).to.throw(/é\.ts as it is/);
  });
});
