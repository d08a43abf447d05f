import { expect } from 'chai';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectory } from '../../../lib/base/make-directory.js';
import { makeTempDir } from '../../support/certificates.js';

describe('Making a directory', () => {
  let folder: Awaited<ReturnType<typeof makeTempDir>>;

  beforeEach(async () => (folder = await makeTempDir()));
  afterEach(() => folder.remove());

  const failureOf = (path: string): Promise<unknown> =>
    makeDirectory(path).then(
      () => undefined,
      (thrown: unknown) => (thrown as NodeJS.ErrnoException).code,
    );

  it('makes those above it, closed to others', async () => {
    const path = join(folder.dir, 'a', 'b', 'c');
    await makeDirectory(path);
    expect((await stat(path)).mode & 0o777).to.equal(0o700);
    expect((await stat(join(folder.dir, 'a'))).mode & 0o777).to.equal(0o700);
  });

  it('leaves one alone that is there, also when several make it at once', async () => {
    // One round in eight would show that they get in each other's way.
    for (let round = 0; round < 50; round++) {
      const path = join(folder.dir, String(round), 'a', 'b', 'c');
      await Promise.all(Array.from({ length: 20 }, () => makeDirectory(path)));
      await makeDirectory(path);
    }
  });

  it('says what stands in its way', async () => {
    const file = join(folder.dir, 'file');
    await writeFile(file, '');
    expect(await failureOf(file)).to.equal('EEXIST');
    expect(await failureOf(join(file, 'below'))).to.equal('ENOTDIR');
  });

  it('gives up where nothing can be made', async () => {
    expect(await failureOf('/proc/none/below')).to.equal('ENOENT');
  });
});
