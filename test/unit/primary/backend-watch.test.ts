import { expect } from 'chai';
import { defer } from '../../../lib/base/deferred.js';
import type { AskedBackends, BackendFacts } from '../../../lib/domain/backend-status.js';
import { BackendWatch } from '../../../lib/primary/backend-watch.js';

const up = (name: string): BackendFacts => ({ name, busy: 0, idle: 0 });

/** A watch whose workers answer when the test has them answer, by a clock that it sets. */
function start() {
  const clock = { nowMs: 1_000 };
  const asked: ((backends: readonly BackendFacts[]) => Promise<void>)[] = [];
  const watch = new BackendWatch({
    now: () => clock.nowMs,
    ask: () => {
      const { promise, resolve } = defer<readonly AskedBackends[]>();
      asked.push(async (backends) => {
        resolve([{ pid: 7, backends }]);
        // The watch hears of it in a later turn.
        await new Promise(setImmediate);
      });
      return promise;
    },
  });
  const names = () => watch.look()?.backends.map(({ name }) => name);
  return { watch, clock, asked, names };
}

describe('The backends of snapshots', () => {
  it('are what was told last, and are asked for again by each snapshot that finds no question open', async () => {
    const { asked, names } = start();
    expect(names()).to.equal(undefined);
    expect(names()).to.equal(undefined);
    expect(asked).to.have.length(1);
    await asked[0]?.([up('first')]);
    expect(names()).to.deep.equal(['first']);
    expect(names()).to.deep.equal(['first']);
    expect(asked).to.have.length(2);
    await asked[1]?.([up('second')]);
    expect(names()).to.deep.equal(['second']);
  });

  it('are not those of a time when nobody looked', async () => {
    const { asked, names, clock } = start();
    names();
    await asked[0]?.([up('first')]);
    clock.nowMs += 5_001;
    expect(names()).to.equal(undefined);
    await asked[1]?.([up('second')]);
    expect(names()).to.deep.equal(['second']);
  });

  it('are twenty at most, those in trouble first, with the number of all', async () => {
    const { asked, watch } = start();
    watch.look();
    const many = Array.from({ length: 300 }, (_, i) => up(`http://b${i}`));
    const trouble = { isLeftOut: true, forMs: 1, lastError: 'x', lastErrorAgoMs: 1 };
    await asked[0]?.([...many, { ...up('http://sick'), trouble }]);
    const { backends = [], ...rest } = watch.look() ?? {};
    expect(rest).to.deep.equal({ workers: 1, silentWorkers: [], count: 301, upCount: 300 });
    expect(backends.map(({ name }) => name)).to.deep.equal([
      'http://sick',
      ...many.slice(0, 19).map(({ name }) => name),
    ]);
  });
});
