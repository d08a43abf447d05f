import { expect } from 'chai';
import { growingLru, resizedLru } from '../../../lib/base/growing-lru.js';

describe('An LRU cache that takes room as it fills', () => {
  it('holds so many entries at most: the least recently used one goes', () => {
    const cache = growingLru<string, number>(2);
    cache.set('a', 1).set('b', 2);
    expect(cache.get('a')).to.equal(1);
    cache.set('c', 3).set('c', 4);
    expect([...cache.keys()].sort()).to.deep.equal(['a', 'c']);
    expect(cache.get('c')).to.equal(4);
  });

  it('forgets an entry when its time is over', () => {
    let nowMs = 1_000;
    const cache = growingLru<string, number>(2, { perf: { now: () => nowMs }, ttlResolution: 0 });
    cache.set('a', 1, { ttl: 10 }).set('b', 2);
    nowMs = 1_011;
    expect([cache.get('a'), cache.get('b')]).to.deep.equal([undefined, 2]);
  });

  it('is the same one when it is to hold as many as it does, else keeps what was used last', () => {
    const cache = growingLru<string, number>(3);
    cache.set('a', 1).set('b', 2).set('c', 3);
    cache.get('a');
    expect(resizedLru(cache, 3)).to.equal(cache);
    expect([...resizedLru(cache, 2).keys()]).to.deep.equal(['a', 'c']);
  });

  it('sets no room aside for what is not there', () => {
    const before = process.memoryUsage.rss();
    const cache = growingLru<string, number>(20_000_000);
    expect(process.memoryUsage.rss() - before).to.be.below(50e6);
    expect(cache.size).to.equal(0);
  });

  it('tells of what is dropped for want of room, and of nothing else', () => {
    let evicted = 0;
    const onEvict = (): void => void (evicted += 1);
    const cache = growingLru<string, number>(2, { onEvict });
    cache.set('a', 1).set('b', 2).set('b', 3);
    cache.delete('a');
    expect(evicted).to.equal(0);
    cache.set('c', 3).set('d', 4);
    expect(evicted).to.equal(1);
    const smaller = resizedLru(cache, 1, { onEvict });
    expect(evicted).to.equal(2);
    smaller.set('e', 5);
    expect(evicted).to.equal(3);
  });
});
