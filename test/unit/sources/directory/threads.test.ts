import { expect } from 'chai';
import { createHook } from 'node:async_hooks';
import { DirectoryStage } from './stage.js';
import type { ServerName } from '../../../../lib/domain/server-name.js';

/** Counts the operations on files that are under way, and have one of Node's threads or wait for it. */
function watchOperations(): { readonly most: number; stop(): void } {
  const underWay = new Set<number>();
  let most = 0;
  const hook = createHook({
    init(id, type) {
      if (!type.startsWith('FSREQ')) return;
      underWay.add(id);
      most = Math.max(most, underWay.size);
    },
    before: (id) => void underWay.delete(id),
    promiseResolve: (id) => void underWay.delete(id),
  }).enable();
  return {
    get most() {
      return most;
    },
    stop: () => void hook.disable(),
  };
}

describe('DirectorySource and the threads that Node has for files', () => {
  const on = new DirectoryStage();

  it('takes two of the four at most, so that a file system that hangs does not stop Redis and the manager', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `n${index}.test`);
    for (const name of names) await on.place(name, [name]);
    const operations = watchOperations();
    try {
      const source = await on.open(on.dir, { maxKeysChecked: 0 });
      const looks = names.map((name) =>
        source.lookup(name as ServerName, { signal: AbortSignal.timeout(60_000) }),
      );
      const [found] = await Promise.all([
        Promise.all(looks),
        source.reload(),
        source.check(),
        source.check(),
      ]);
      expect(new Set(found.map(({ kind }) => kind))).to.deep.equal(new Set(['found']));
      expect(operations.most).to.equal(2);
    } finally {
      operations.stop();
    }
  });
});
