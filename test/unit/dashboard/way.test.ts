import { expect } from 'chai';
import { pace, thickness, wayOf } from '../../../lib/dashboard/way.js';
import type { StatusReport } from '../../../lib/domain/status-report.js';
import { counter, facts, histogram } from './frames.js';

const way = (changes?: Partial<StatusReport>) => {
  const { status, numbers, now } = facts(
    [
      counter('handshakes_total', 0, { tier: 'lru' }),
      histogram('source_lookup_seconds', 0, 0, { source: 'redis', outcome: 'found' }),
    ],
    [
      counter('handshakes_total', 90, { tier: 'lru' }),
      counter('handshakes_total', 10, { tier: 'redis' }),
      histogram('source_lookup_seconds', 10, 0.02, { source: 'redis', outcome: 'found' }),
      histogram('source_lookup_seconds', 20, 0.04, { source: 'redis', outcome: 'absent' }),
    ],
    changes,
  );
  return wayOf({ status, numbers, rates: now });
};

describe('The way of a certificate', () => {
  it('goes from the client over the caches and the sources in their order to the default', () => {
    expect(way().map(({ title }) => title)).to.deep.equal([
      ...['Clients', 'LRU', 'PEM cache', '1. Redis', '2. Manager', 'Default'],
    ]);
  });

  it('has on each edge how many go there and how long it takes, and at each station how many it answers', () => {
    const redis = way().find(({ id }) => id === 'source-0');
    expect(redis?.edge).to.deep.equal({ perSecond: 3, labels: ['3/s', '2.0 ms'] });
    expect(redis?.figure?.value).to.equal('1');
    expect(redis?.share).to.deep.equal({ value: 0.1, tier: 'redis' });
    expect(redis?.notes).to.deep.equal(['has none: 2/s']);
  });

  it('shows how a source is, and its error where it is in trouble', () => {
    const sources = [{ name: 'redis', state: 'skipped', lastError: 'x'.repeat(200) }] as const;
    const redis = way({ sources }).find(({ id }) => id === 'source-0');
    expect(redis?.state).to.deep.equal({ level: 'bad', word: 'skipped' });
    expect(redis?.notes.at(-1)).to.have.length(80);
  });

  it("counts an embedder's own source as other, by its own name", () => {
    const [source] = way({ sources: [{ name: 'vault', state: 'up' }] }).slice(3);
    expect(source).to.deep.include({ title: '1. vault', share: { value: 0, tier: 'other' } });
  });

  it('grows and quickens with the rate, within bounds', () => {
    for (const scale of [thickness, pace]) {
      const values = [0, 0.1, 1, 100, 10_000, 1e9].map((rate) => scale(rate));
      expect(values).to.deep.equal([...values].sort((one, other) => one - other));
      expect(values.at(-1)).to.be.at.most(30);
    }
    expect(pace(0)).to.equal(0);
  });
});
