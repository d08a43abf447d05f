import { expect } from 'chai';
import { SecureContextCache } from '../../../lib/caches/secure-context-cache.js';
import type { ServerName } from '../../../lib/domain/server-name.js';
import { ManualTime } from '../../support/manual-time.js';

const [A, B, C] = ['a.test', 'b.test', 'c.test'] as [ServerName, ServerName, ServerName];
const found = (id: string) => ({
  served: { id },
  fingerprint: `print of ${id}`,
  leaves: [`leaf of ${id}`],
  tier: 'redis',
  notAfterMs: 1e9,
  missingKind: undefined,
});

const ABSENT = { kind: 'absent' } as const;
const ERROR = { kind: 'error', reason: 'redis is down' } as const;

function openStage(maxNames = 10, maxNegatives = 10) {
  const time = new ManualTime(0);
  const cache = new SecureContextCache<{ id: string }>({ maxNames, maxNegatives, now: time.now });
  const state = (name: ServerName) => cache.get(name)?.state;
  return { time, cache, state };
}

describe('SecureContextCache', () => {
  it('hands out a context, fresh for its time and stale after, not longer for being used', () => {
    const { cache, time } = openStage();
    expect(cache.get(A)).to.equal(undefined);
    cache.setContext(A, found('one'), 100);
    const entry = { ...found('one'), sinceMs: 0, freshUntilMs: 100, noHalfUntilMs: -Infinity };
    time.nowMs = 99;
    expect(cache.get(A)).to.deep.equal({ state: 'fresh', entry });
    time.nowMs = 100;
    expect(cache.get(A)).to.deep.equal({ state: 'stale', entry });
    time.nowMs = 1e9;
    expect(cache.get(A)?.state).to.equal('stale');
  });

  it('creates nothing on a hit', () => {
    const { cache } = openStage();
    cache.setContext(A, found('one'), 100);
    expect(cache.get(A)).to.equal(cache.get(A));
  });

  it('holds as many names as its bound says, and evicts the least recently used', () => {
    const { cache, state } = openStage(2);
    cache.setContext(A, found('one'), 100);
    cache.setContext(B, found('two'), 100);
    cache.get(A);
    cache.setContext(C, found('three'), 100);
    expect([cache.size, state(A), state(B), state(C)]).to.deep.equal([2, 'fresh', undefined, 'fresh']);
  });

  it('keeps a context for the longest it was told to: a time of 0 is stale at once', () => {
    const { cache, state } = openStage();
    cache.setContext(A, found('one'), 0);
    expect(state(A)).to.equal('stale');
  });

  describe('refresh', () => {
    it('makes a stale context fresh again, from now on, and may name another tier', () => {
      const { cache, time } = openStage();
      cache.setContext(A, found('one'), 100);
      time.nowMs = 500;
      expect(cache.refresh(A, 100)).to.equal(true);
      expect(cache.get(A)).to.deep.equal({
        state: 'fresh',
        entry: { ...found('one'), sinceMs: 500, freshUntilMs: 600, noHalfUntilMs: -Infinity },
      });
      expect(cache.refresh(A, 200, 'cache')).to.equal(true);
      expect(cache.get(A)).to.have.nested.property('entry.tier', 'cache');
    });

    it('says so when the context has been evicted meanwhile', () => {
      const { cache, state } = openStage();
      expect(cache.refresh(A, 100)).to.equal(false);
      expect(state(A)).to.equal(undefined);
    });
  });

  describe('a name without a certificate', () => {
    it('is remembered for its own time', () => {
      const { cache, time } = openStage();
      cache.setNegative(A, ABSENT, 100);
      cache.setNegative(B, ERROR, 50);
      expect(cache.get(A)).to.deep.equal({ state: 'negative', kind: 'absent' });
      expect(cache.get(B)).to.deep.equal({ state: 'negative', kind: 'error' });
      expect([cache.size, cache.negativeSize]).to.deep.equal([0, 2]);
      time.nowMs = 50;
      expect(cache.get(B)).to.equal(undefined);
      time.nowMs = 100;
      expect(cache.get(A)).to.equal(undefined);
    });

    it('is forgotten when a certificate turns up', () => {
      const { cache, time, state } = openStage();
      cache.setNegative(A, ABSENT, 100);
      cache.setContext(A, found('one'), 10);
      time.nowMs = 10;
      expect([state(A), cache.negativeSize]).to.deep.equal(['stale', 0]);
    });

    it('is not remembered with a time of 0', () => {
      const { cache } = openStage();
      cache.setNegative(A, ABSENT, 0);
      cache.setNegative(B, ERROR, 0);
      expect(cache.negativeSize).to.equal(0);
    });

    it('evicts no context, however many junk names there are', () => {
      const { cache, state } = openStage(2, 5);
      cache.setContext(A, found('one'), 100);
      cache.setContext(B, found('two'), 100);
      for (let i = 0; i < 1000; i += 1) {
        const junk = `junk${i}.test` as ServerName;
        cache.get(junk);
        cache.setNegative(junk, i % 2 === 0 ? ABSENT : ERROR, 100);
      }
      expect([state(A), state(B), cache.negativeSize]).to.deep.equal(['fresh', 'fresh', 5]);
    });
  });

  describe('a negative answer for a name that has a context', () => {
    for (const negative of [ABSENT, ERROR]) {
      for (const at of [10, 100]) {
        it(`withdraws a ${at < 100 ? 'fresh' : 'stale'} one when it is ${negative.kind}`, () => {
          const { cache, time, state } = openStage();
          cache.setContext(A, found('one'), 100);
          time.nowMs = at;
          cache.setNegative(A, negative, 50);
          expect([state(A), cache.size]).to.deep.equal(['negative', 0]);
          time.nowMs = at + 50;
          expect(state(A)).to.equal(undefined);
        });
      }
    }
  });

  it('forgets one name, positive or negative, or everything', () => {
    const { cache } = openStage();
    cache.setContext(A, found('one'), 100);
    cache.setNegative(B, ABSENT, 100);
    expect([cache.delete(A), cache.delete(B), cache.delete(C)]).to.deep.equal([true, true, false]);
    cache.setContext(A, found('one'), 100);
    cache.setNegative(B, ABSENT, 100);
    cache.clear();
    expect([cache.size, cache.negativeSize]).to.deep.equal([0, 0]);
  });

  it('forgets what is below a wildcard with it, contexts and misses alike, and nothing else', () => {
    const { cache, state } = openStage();
    const [kept, missed, deeper, other] = [
      'a.wild.test',
      'b.wild.test',
      'c.b.wild.test',
      'wild.test',
    ] as ServerName[] as [ServerName, ServerName, ServerName, ServerName];
    cache.setContext(kept, found('one'), 100);
    cache.setNegative(missed, ABSENT, 100);
    cache.setNegative(deeper, ABSENT, 100);
    cache.setContext(other, found('two'), 100);
    expect(cache.delete('*.wild.test' as ServerName)).to.equal(true);
    expect([kept, missed, deeper, other].map(state)).to.deep.equal([
      ...[undefined, undefined, 'negative', 'fresh'],
    ]);
    expect(cache.delete('*.wild.test' as ServerName)).to.equal(false);
  });

  it('remembers for a time that there is no other half, of a name that it has', () => {
    const { cache, time } = openStage();
    cache.setNoHalf(A, 50);
    expect(cache.get(A)).to.equal(undefined);
    cache.setContext(A, { ...found('one'), missingKind: 'rsa' }, 100);
    cache.setNoHalf(A, 50);
    cache.refresh(A, 200);
    expect(cache.get(A)).to.deep.include({
      entry: {
        ...found('one'),
        missingKind: 'rsa',
        sinceMs: 0,
        freshUntilMs: time.nowMs + 200,
        noHalfUntilMs: time.nowMs + 50,
      },
    });
    // Another certificate may be completed by what the earlier one could not.
    cache.setContext(A, { ...found('two'), missingKind: 'rsa' }, 100);
    expect(cache.get(A)).to.have.nested.property('entry.noHalfUntilMs', -Infinity);
  });

  it('keeps the most recently used names when it is resized', () => {
    const { cache, state } = openStage();
    for (const name of [A, B, C]) cache.setContext(name, found(name), 100);
    cache.setNegative('d.test' as ServerName, ABSENT, 100);
    cache.setNegative('e.test' as ServerName, ABSENT, 100);
    cache.get(A);
    cache.resize(2, 1);
    expect([state(A), state(B), state(C), cache.negativeSize]).to.deep.equal([
      'fresh',
      undefined,
      'fresh',
      1,
    ]);
  });

  it('tells a person what it has of a name, and that is no use of it', () => {
    const { cache, time } = openStage(2);
    expect(cache.inspect(A)).to.deep.equal({});
    cache.setContext(A, found('one'), 100);
    cache.setContext(B, found('two'), 100);
    time.nowMs = 40;
    const cached = { tier: 'redis', fingerprints: ['leaf of one'], notAfterMs: 1e9 };
    expect(cache.inspect(A)).to.deep.equal({ cached: { state: 'fresh', ageMs: 40, leftMs: 60, ...cached } });
    time.nowMs = 150;
    expect(cache.inspect(A)).to.deep.equal({ cached: { state: 'stale', ageMs: 150, leftMs: 0, ...cached } });
    cache.setContext(C, found('three'), 100);
    expect(cache.inspect(A)).to.deep.equal({});
    cache.setNegative(A, ERROR, 30);
    time.nowMs = 160;
    expect(cache.inspect(A)).to.deep.equal({
      negative: { kind: 'error', reason: 'redis is down', ageMs: 10, leftMs: 20 },
    });
    time.nowMs = 180;
    expect(cache.inspect(A)).to.deep.equal({});
  });
});
