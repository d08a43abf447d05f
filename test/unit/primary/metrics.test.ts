import { expect } from 'chai';
import { PrimaryMetrics } from '../../../lib/primary/metrics.js';
import type { PrimaryGaugesParts } from '../../../lib/primary/primary-gauges.js';
import { readMetrics } from '../../support/metrics-text.js';

describe('The metrics of the primary', () => {
  let metrics: PrimaryMetrics;
  let parts: { -readonly [Key in keyof PrimaryGaugesParts]: PrimaryGaugesParts[Key] };
  let nowMs: number;

  beforeEach(() => {
    metrics = new PrimaryMetrics();
    nowMs = 0;
    parts = {
      pem: {
        stats: () => ({ entries: 2, bytes: 300 }),
        maxBytes: 1_000,
        expiries: () => ({ soonestMs: [5_000, 7_500], outdated: 1 }),
      },
      negative: { size: 4 },
      sources: {
        statuses: () => [
          { name: 'redis', state: 'failing' },
          { name: 'own-1', state: 'up' },
          { name: 'own-2', state: 'skipped' },
        ],
        missBudget: () => undefined,
        orderLoad: () => ({ running: 1, queued: 2, heldOff: 3 }),
      },
      supervisor: {
        statuses: () => [
          { pid: 1, state: 'accepting', uptimeMs: 0 },
          { pid: 2, state: 'draining', uptimeMs: 0 },
        ],
      },
    };
    metrics.watch(parts, () => nowMs);
  });

  afterEach(() => metrics.stop());

  it('tell what is so at the moment', () => {
    const { sum } = readMetrics(metrics.text());
    expect(sum('peter_sslers_pem_cache_entries')).to.equal(2);
    expect(sum('peter_sslers_pem_cache_limit_bytes')).to.equal(1_000);
    expect(sum('peter_sslers_negative_entries')).to.equal(4);
    expect(sum('peter_sslers_orders_queued')).to.equal(2);
    expect(sum('peter_sslers_workers', { state: 'draining' })).to.equal(1);
    expect(sum('peter_sslers_build_info')).to.equal(1);
  });

  it('leave out what there is not', () => {
    const names = readMetrics(metrics.text()).samples.map(({ name }) => name);
    expect(names).not.to.include('peter_sslers_miss_tokens');
  });

  it("take an embedder's own sources for one, which is down where any of them is", () => {
    const ups = readMetrics(metrics.text()).samples.filter(({ name }) => name === 'peter_sslers_source_up');
    expect(ups.map(({ labels, value }) => [labels['source'], value])).to.deep.equal([
      ['redis', 1],
      ['other', 0],
    ]);
  });

  it('tell no source any more that a reload has taken away', () => {
    metrics.text();
    parts.sources = { ...parts.sources, statuses: () => [] };
    expect(metrics.text()).not.to.match(/^peter_sslers_source_up\{/m);
  });

  it('look through the cache for the soonest ends every ten seconds at most', () => {
    const ends = () =>
      readMetrics(metrics.text())
        .samples.filter(({ name }) => name === 'peter_sslers_certificate_not_after_seconds')
        .map(({ labels, value }) => [labels['rank'], value]);
    expect(ends()).to.deep.equal([
      ['1', 5],
      ['2', 7.5],
    ]);
    parts.pem = { ...parts.pem, expiries: () => ({ soonestMs: [6_000], outdated: 0 }) };
    nowMs = 9_999;
    expect(ends()).to.have.length(2);
    nowMs = 10_000;
    expect(ends()).to.deep.equal([['1', 6]]);
  });

  it('keep the counts of a worker that has ended', () => {
    const report = metrics.addWorker(7);
    report({ delta: { peter_sslers_lru_evictions_total: [0, 3], peter_sslers_lru_entries: [0, 9] } });
    metrics.removeWorker(7);
    const { sum } = readMetrics(metrics.text());
    expect(sum('peter_sslers_lru_evictions_total')).to.equal(3);
    expect(sum('peter_sslers_lru_entries')).to.equal(0);
  });
});
