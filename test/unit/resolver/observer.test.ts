import { expect } from 'chai';
import type { ResolverObserver } from '../../../lib/resolver/observer.js';
import { DOWN, found } from '../../support/fake-source.js';
import { issue, openStage } from './stage.js';

function openObservedStage() {
  const seen: string[] = [];
  const observer: ResolverObserver = {
    onPemCache: (state) => seen.push(state),
    onNegativeHit: (kind) => seen.push(`negative ${kind}`),
    onStale: (cause) => seen.push(`stale ${cause}`),
  };
  const stage = openStage({}, ['redis'], { observer });
  /** What was seen since the last time. */
  return { ...stage, taken: () => seen.splice(0) };
}

describe('An observer of the resolver', () => {
  it('is told what the PEM cache has', async () => {
    const { resolve, redis, taken } = openObservedStage();
    redis.answer(found(await issue()));
    await resolve();
    await resolve();
    expect(taken()).to.deep.equal(['miss', 'fresh']);
  });

  it('is told of names that are known to have none', async () => {
    const { resolve, taken } = openObservedStage();
    await resolve();
    await resolve();
    expect(taken()).to.deep.equal(['miss', 'miss', 'negative absent']);
  });

  it('is told of what serves on while a source is down, each time', async () => {
    const { resolve, redis, time, taken } = openObservedStage();
    redis.answer(found(await issue()));
    await resolve();
    await time.advance(600_000);
    redis.answer(DOWN);
    taken();
    await resolve();
    await resolve();
    expect(taken()).to.deep.equal([
      'retained',
      'stale unavailable',
      'retained',
      'negative error',
      'stale unavailable',
    ]);
  });

  it('is told of what serves on though every source says that there is none', async () => {
    const { resolve, redis, time, taken } = openObservedStage();
    redis.answer(found(await issue()));
    await resolve();
    await time.advance(600_000);
    redis.answer({ kind: 'absent' });
    taken();
    await resolve();
    await resolve();
    expect(taken()).to.deep.equal([
      'retained',
      'stale absent-grace',
      'retained',
      'negative error',
      'stale absent-grace',
    ]);
  });

  it('is told of what serves on until the sources have answered', async () => {
    const { resolve, redis, time, taken } = openObservedStage();
    redis.answer(found(await issue()));
    await resolve();
    await time.advance(600_000);
    redis.hold();
    taken();
    const answer = resolve();
    await time.advance(100);
    expect((await answer).kind).to.equal('pending');
    expect(taken()).to.deep.equal(['retained', 'stale refresh-late']);
  });
});
