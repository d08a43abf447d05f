import { expect } from 'chai';
import { METRICS, type MetricName } from '../../../lib/metrics/definitions.js';
import { Layout, LAYOUTS } from '../../../lib/metrics/layout.js';
import { MetricsStore } from '../../../lib/metrics/store.js';
import { familyText, metricsText } from '../../../lib/metrics/text.js';
import { promtoolProblems, readMetrics } from '../../support/metrics-text.js';

/** A store in which every series of every metric has been seen. */
function fullStore(): MetricsStore {
  const store = new MetricsStore();
  const delta = LAYOUTS.map(({ name, length }): [string, number[]] => [
    name,
    Array.from({ length }, (_, slot) => [slot, slot + 1]).flat(),
  ]);
  for (const process of ['primary', undefined, undefined]) store.join(process).add(Object.fromEntries(delta));
  return store;
}

describe('The text of the metrics', () => {
  it('is what Prometheus reads, and takes no exception at, for all of the table', () => {
    const text = metricsText(fullStore());
    expect(promtoolProblems(text)).to.equal('');
    expect(readMetrics(text).sum('peter_sslers_lru_evictions_total')).to.equal(3);
  });

  it('is that from the start, before anything has happened', () => {
    expect(promtoolProblems(metricsText(new MetricsStore()))).to.equal('');
  });

  it('is refused by the tool where it is wrong', () => {
    expect(promtoolProblems('# TYPE a counter\na{b="} 1\n')).not.to.equal('');
  });

  it('adds up the buckets of a histogram', () => {
    const layout = new Layout('a' as MetricName, { type: 'histogram', help: 'A', buckets: [0.5, 2] });
    expect(familyText(layout, [{ labels: {}, numbers: [1, 2, 4, 12.5] }])).to.equal(
      [
        '# HELP a A',
        '# TYPE a histogram',
        'a_bucket{le="0.5"} 1',
        'a_bucket{le="2"} 3',
        'a_bucket{le="+Inf"} 7',
        'a_sum 12.5',
        'a_count 7',
        '',
      ].join('\n'),
    );
  });

  it('escapes what help and labels may hold', () => {
    const layout = new Layout('a' as MetricName, { type: 'gauge', help: 'back\\slash\nand "quotes"' });
    const text = familyText(layout, [{ labels: { b: 'a "quoted" \\ text\n' }, numbers: [1e21] }]);
    expect(text).to.equal(
      '# HELP a back\\\\slash\\nand "quotes"\n# TYPE a gauge\na{b="a \\"quoted\\" \\\\ text\\n"} 1e+21\n',
    );
    expect(promtoolProblems(text)).to.equal('');
  });
});

describe('The table of metrics', () => {
  it('follows the conventions of Prometheus for names and units', () => {
    for (const { name, definition } of LAYOUTS) {
      expect(name, name).to.match(/^peter_sslers_[a-z_]+$/);
      expect(name.endsWith('_total'), name).to.equal(definition.type === 'counter');
      if (definition.type === 'histogram') expect(name, name).to.match(/_seconds$/);
      expect(definition.help, name).not.to.match(/\.$/);
    }
  });

  it('has buckets in ascending order', () => {
    for (const { name, buckets } of LAYOUTS) {
      expect(buckets, name).to.deep.equal([...new Set(buckets)].sort((a, b) => a - b));
    }
  });

  it('bounds the series of each metric, and those of all of them', () => {
    for (const { name, combinations } of LAYOUTS) expect(combinations, name).to.be.at.most(200);
    const lines = metricsText(fullStore()).split('\n').length;
    expect(lines).to.be.at.most(2_000);
  });

  it('has no label that could name a client, a domain or a URL', () => {
    const labels = Object.values(METRICS).flatMap((definition) =>
      'labels' in definition ? Object.keys(definition.labels) : [],
    );
    expect([...new Set(labels)].sort()).to.deep.equal(
      [
        'by', 'cause', 'code', 'end', 'key', 'kind', 'limit', 'mode', 'node', 'openssl', 'outcome', 'protocol',
        'rank', 'reason', 'result', 'resumed', 'share', 'source', 'state', 'tier', 'version',
      ],
    ); // prettier-ignore
  });
});
