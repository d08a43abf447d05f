import { expect } from 'chai';
import { healthOf } from '../../../lib/dashboard/health.js';
import { backendFacts, backendRows, type Cell } from '../../../lib/dashboard/tables.js';
import type { BackendsReport } from '../../../lib/domain/backend-status.js';
import { counter, facts } from './frames.js';

const REPORT: BackendsReport = {
  ...{ workers: 2, silentWorkers: [], count: 30, upCount: 29 },
  backends: [
    {
      ...{ pattern: 'a.test', name: 'http://sick', state: 'left out', busy: 0, idle: 0, workers: 2 },
      trouble: { workers: 1, forMs: 12_000, lastError: 'it refuses', lastErrorAgoMs: 5 },
    },
    { name: 'http://well', state: 'up', busy: 3, idle: 4, workers: 2 },
    { name: 'http://well', state: 'up', busy: 3, idle: 5, workers: 2 },
  ],
};

const given = (changes: Partial<BackendsReport> = {}) =>
  facts([], [counter('backends_left_out', 1)], { backends: { ...REPORT, ...changes } });

const text = (cell: string | Cell | undefined): string | undefined =>
  typeof cell === 'object' ? `${cell.level ?? ''}: ${cell.text}` : cell;

function fact(label: string, changes?: Partial<BackendsReport>): string | undefined {
  return text(backendFacts(given(changes)).find(({ key }) => key === label)?.cells[1]);
}

describe('The backends of the dashboard', () => {
  it('are a row each, with a key of its own, in the order in which they came', () => {
    const rows = backendRows(given());
    expect(rows.map(({ cells }) => cells.map(text).join(' | '))).to.deep.equal([
      'http://sick | a.test | bad: left out in 1 of 2 workers for 12 s | 0 | 0 | it refuses',
      'http://well | every other name | good: up | 3 | 4 | ',
      'http://well | every other name | good: up | 3 | 5 | ',
    ]);
    expect(new Set(rows.map(({ key }) => key)).size).to.equal(3);
    expect(backendRows(facts([], []))).to.deep.equal([]);
  });

  it('are counted, those included that have no row', () => {
    expect(fact('up')).to.equal('warn: 29 of 30');
    expect(fact('up', { upCount: 30 })).to.equal('good: 30 of 30');
    expect(fact('up', { count: 0, upCount: 0 })).to.equal('none is set');
    expect(fact('up', { count: 0, upCount: 0, silentWorkers: [7, 8] })).to.equal('–');
  });

  it('lack what workers know that tell nothing', () => {
    expect(fact('workers that tell nothing')).to.equal(undefined);
    expect(fact('workers that tell nothing', { silentWorkers: [7, 8] })).to.equal('warn: 7, 8');
  });

  it('are named in the headline where they are left out', () => {
    const { troubles } = healthOf(given());
    expect(troubles.find(({ short }) => short === 'Backends are left out')?.detail).to.equal('http://sick');
  });
});
