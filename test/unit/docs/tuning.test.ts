/**
 * docs/tuning.md has what the formulas give, the figures of the benchmark, and the picture of what was measured last.
 */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import {
  contextBytes,
  lookUpsPerSecond,
  questionsPerSecond,
  shareOfOld,
  worstStaleness,
} from '../../../bench/staleness/formulas.js';
import type { Measured } from '../../../bench/staleness/measure.js';
import { plotOf } from '../../../bench/staleness/plot.js';
import { DEFAULTS } from '../../../lib/config/flags.js';

const textOf = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
const page = textOf('docs/tuning.md');
const results = textOf('bench/RESULTS.md');
const measured = JSON.parse(textOf('bench/staleness/measured.json')) as Measured;
const [NAMES, WORKERS] = [20_000, 4];

/** The figure of a row of each section of the results, one for each Node. */
function figures(pattern: RegExp): string[] {
  return [...results.matchAll(pattern)].map(([, figure = '']) => figure);
}

describe('docs/tuning.md', () => {
  it('has in its table what the formulas give', () => {
    const table = /<!-- durations -->([\s\S]*?)<!-- \/durations -->/.exec(page)?.[1] ?? '';
    const rows = [
      ...table.matchAll(/^\| (\d+) s +\| (\d+) s +\| (\d+) s +\| ([\d.]+) \/s +\| ([\d.]+) \/s/gm),
    ];
    expect(rows).to.have.length(5);
    for (const [, cert, lru, worst, looks, questions] of rows) {
      const durations = { cert: Number(cert), lru: Number(lru) };
      expect(worstStaleness(durations)).to.equal(Number(worst));
      expect(lookUpsPerSecond(NAMES, durations)).to.be.closeTo(Number(looks), 0.05);
      expect(questionsPerSecond(NAMES, WORKERS, durations)).to.be.closeTo(Number(questions), 0.05);
    }
  });

  it('has the memory of contexts as the benchmark has it', () => {
    const kib = figures(/memory of a cached context \(2000 names\) +\| ([\d.]+) KiB/g).map(Number);
    expect(kib).to.have.length(2);
    for (const each of kib) expect(page).to.contain(`${each.toFixed(1)} KiB`);
    const mib = (names: number, workers: number): string[] =>
      kib.map((each) => Math.round(contextBytes(names, workers, each) / 1_024).toString());
    for (const [names, shown] of [
      [200, '200'],
      [5_000, '5,000'],
      [20_000, '20,000'],
    ] as const) {
      const [node20, node26] = mib(names, 1);
      expect(page.replaceAll(/ +/g, ' ')).to.match(
        new RegExp(`\\| ${shown} \\| [^|]+ \\| ${node20} MiB; ${node26} MiB \\|`),
      );
    }
  });

  it('has what a handshake costs that is not in the LRU as the benchmark has it', () => {
    for (const row of ['LRU lapsed, certificate unchanged', 'LRU miss, PEM cache hit']) {
      const ratios = figures(new RegExp(`^\\| ${row} +\\|[^|]+\\|[^|]+\\| ([\\d.]+)`, 'gm'));
      expect(ratios).to.have.length(2);
      for (const ratio of ratios) expect(page, row).to.contain(`${ratio} times`);
    }
  });

  it('has the picture and the longest wait of what was measured', () => {
    expect(textOf('docs/staleness.svg')).to.equal(plotOf(measured));
    const worst = worstStaleness(measured.durations);
    expect(page).to.contain(`${measured.longest} s after the change,\nof ${worst} s at the most`);
    expect(measured.longest).to.be.lessThan(worst);
  });

  it('has the defaults', () => {
    for (const [, name = '', value] of page.matchAll(/^\| `--(cert-cache-duration|lru-[a-z-]+)` +\| (\d+)/gm))
      expect(DEFAULTS[name as keyof typeof DEFAULTS]).to.equal(value);
  });
});

describe('The share of handshakes that get an old certificate', () => {
  it('falls from one to none, evenly while the longer of the durations lasts', () => {
    const durations = { cert: 600, lru: 60 };
    expect(shareOfOld(0, durations)).to.equal(1);
    expect(shareOfOld(60, durations)).to.be.closeTo(0.95, 1e-9);
    expect(shareOfOld(330, durations)).to.be.closeTo(0.5, 1e-9);
    expect(shareOfOld(600, durations)).to.be.closeTo(0.05, 1e-9);
    expect(shareOfOld(660, durations)).to.equal(0);
    expect(shareOfOld(330, { cert: 60, lru: 600 })).to.be.closeTo(0.5, 1e-9);
  });
});
