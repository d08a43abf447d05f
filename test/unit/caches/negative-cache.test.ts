import { expect } from 'chai';
import { NegativeCache } from '../../../lib/caches/negative-cache.js';
import type { ServerName } from '../../../lib/domain/server-name.js';
import { ManualTime } from '../../support/manual-time.js';

const [A, B, C] = ['a.test', 'b.test', 'c.test'] as [ServerName, ServerName, ServerName];

function openStage(maxItems = 10) {
  const time = new ManualTime(0);
  return { time, cache: new NegativeCache({ maxItems, now: time.now }) };
}

describe('NegativeCache', () => {
  const kinds = [{ kind: 'absent' }, { kind: 'error', reason: 'redis timed out' }] as const;
  for (const negative of kinds) {
    it(`keeps "${negative.kind}" for its time to live, not longer for being used`, () => {
      const { cache, time } = openStage();
      cache.set(A, negative, 100);
      time.nowMs = 99;
      expect(cache.get(A)).to.deep.equal({ ...negative, storedAtMs: 0, expiresAtMs: 100 });
      time.nowMs = 100;
      expect(cache.get(A)).to.equal(undefined);
      expect(cache.size).to.equal(0);
    });
  }

  it('replaces what was known before', () => {
    const { cache, time } = openStage();
    cache.set(A, { kind: 'absent' }, 100);
    time.nowMs = 50;
    cache.set(A, { kind: 'error', reason: 'no' }, 5);
    expect(cache.get(A)?.kind).to.equal('error');
    time.nowMs = 60;
    expect(cache.get(A)).to.equal(undefined);
  });

  it('is bounded: the least recently used name makes room', () => {
    const { cache } = openStage(2);
    cache.set(A, { kind: 'absent' }, 100);
    cache.set(B, { kind: 'absent' }, 100);
    cache.get(A);
    cache.set(C, { kind: 'absent' }, 100);
    expect([cache.size, cache.get(A)?.kind, cache.get(B)]).to.deep.equal([2, 'absent', undefined]);
  });

  it('lists the names that are absent now, not errors and not expired ones', () => {
    const { cache, time } = openStage();
    cache.set(A, { kind: 'absent' }, 100);
    cache.set(B, { kind: 'error', reason: 'no' }, 100);
    cache.set(C, { kind: 'absent' }, 50);
    expect(cache.absentNames(9)).to.deep.equal([C, A]);
    expect(cache.absentNames(1)).to.deep.equal([C]);
    time.nowMs = 50;
    expect(cache.absentNames(9)).to.deep.equal([A]);
  });

  it('forgets one name, or all', () => {
    const { cache } = openStage();
    cache.set(A, { kind: 'absent' }, 100);
    cache.set(B, { kind: 'absent' }, 100);
    expect([cache.delete(A), cache.delete(A), cache.size]).to.deep.equal([true, false, 1]);
    cache.clear();
    expect(cache.size).to.equal(0);
  });

  it('keeps the most recently used names and their expiry when it is resized', () => {
    const { cache, time } = openStage();
    for (const name of [A, B, C]) cache.set(name, { kind: 'absent' }, 100);
    cache.get(A);
    cache.resize(2);
    expect(cache.absentNames(9)).to.deep.equal([A, C]);
    time.nowMs = 100;
    expect(cache.get(A)).to.equal(undefined);
  });
});
