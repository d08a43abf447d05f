import { expect } from 'chai';
import type { BackendFacts, BackendTrouble } from '../../../lib/domain/backend-status.js';
import { backendsReport } from '../../../lib/primary/backends.js';

const facts = (name: string, changes: Partial<BackendFacts> = {}): BackendFacts => ({
  ...{ pattern: 'a.test', name, busy: 1, idle: 2 },
  ...changes,
});

const trouble = (lastError: string, changes: Partial<BackendTrouble> = {}): BackendTrouble => ({
  ...{ isLeftOut: true, forMs: 1_000, lastError, lastErrorAgoMs: 100 },
  ...changes,
});

describe('The backends of all workers', () => {
  it('are added up, in the order of the routes', () => {
    const all = [facts('http://b'), facts('http://a')];
    const { backends, ...rest } = backendsReport([
      { pid: 7, backends: all },
      { pid: 8, backends: all },
    ]);
    expect(rest).to.deep.equal({ workers: 2, silentWorkers: [], count: 2, upCount: 2 });
    expect(backends).to.deep.equal(
      ['http://b', 'http://a'].map((name) => ({
        ...{ pattern: 'a.test', name, state: 'up', busy: 2, idle: 4, workers: 2 },
      })),
    );
  });

  it('are left out in so many workers, since the first of these, for what any has met last', () => {
    const { backends } = backendsReport([
      { pid: 7, backends: [facts('http://a', { trouble: trouble('old', { forMs: 9_000 }) })] },
      { pid: 8, backends: [facts('http://a', { trouble: trouble('less old', { lastErrorAgoMs: 50 }) })] },
      {
        pid: 9,
        backends: [
          facts('http://a', {
            trouble: trouble('new', { isLeftOut: false, forMs: 20_000, lastErrorAgoMs: 5 }),
          }),
        ],
      },
      { pid: 10, backends: [facts('http://a')] },
    ]);
    expect(backends[0]).to.deep.include({
      ...{ state: 'left out', workers: 4 },
      trouble: { workers: 2, forMs: 9_000, lastError: 'new', lastErrorAgoMs: 5 },
    });
  });

  it('are failing where no worker leaves them out', () => {
    const { backends, ...rest } = backendsReport([
      { pid: 7, backends: [facts('http://a', { trouble: trouble('x', { isLeftOut: false }) })] },
      { pid: 8, backends: [facts('http://a')] },
    ]);
    expect(rest).to.deep.include({ count: 1, upCount: 0 });
    expect(backends[0]).to.deep.include({ state: 'failing' });
    expect(backends[0]?.trouble).to.include({ workers: 1, forMs: 1_000 });
  });

  it('are told apart by their route; one that a route has twice is two', () => {
    const ofDefault = { name: 'http://a', busy: 0, idle: 0 };
    const all = [facts('http://a'), facts('http://a'), facts('http://a', { pattern: '*.test' }), ofDefault];
    const { backends } = backendsReport([
      { pid: 7, backends: all },
      { pid: 8, backends: all },
    ]);
    expect(backends.map(({ pattern, workers }) => [pattern, workers])).to.deep.equal([
      ['a.test', 2],
      ['a.test', 2],
      ['*.test', 2],
      [undefined, 2],
    ]);
  });

  it('are those of the workers that have answered, and the others are named', () => {
    const report = backendsReport([
      { pid: 7, failure: 'no answer within 500 ms' },
      { pid: 8, backends: [facts('http://a')] },
    ]);
    expect(report).to.deep.include({ workers: 2, silentWorkers: [7] });
    expect(report.backends[0]?.workers).to.equal(1);
  });
});
