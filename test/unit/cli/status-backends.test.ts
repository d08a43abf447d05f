import { expect } from 'chai';
import { backendLines } from '../../../lib/cli/commands/status-backends.js';
import type { BackendsReport, BackendStatus } from '../../../lib/domain/backend-status.js';

const up = (name: string, changes: Partial<BackendStatus> = {}): BackendStatus => ({
  ...{ pattern: 'a.test', name, state: 'up', busy: 1, idle: 2, workers: 2 },
  ...changes,
});

const out = (name: string, trouble: Partial<BackendStatus['trouble']> = {}): BackendStatus =>
  up(name, {
    state: 'left out',
    trouble: { workers: 2, forMs: 12_000, lastError: 'it refuses', lastErrorAgoMs: 10, ...trouble },
  });

const failing = (name: string): BackendStatus => ({ ...out(name), state: 'failing' });

const report = (
  backends: readonly BackendStatus[],
  changes: Partial<BackendsReport> = {},
): BackendsReport => ({
  workers: 2,
  silentWorkers: [],
  count: backends.length,
  upCount: backends.filter(({ state }) => state === 'up').length,
  backends,
  ...changes,
});

const lines = (...given: Parameters<typeof report>): string[] =>
  backendLines(report(...given), '').map((line) => line.join('  '));

describe('The lines of a status about backends', () => {
  it('are one where all are well, with the connections of all', () => {
    expect(lines([up('http://a'), up('http://b')])).to.deep.equal([
      'backends  2 up, with 2 busy and 4 idle connections',
    ]);
    expect(lines([])).to.deep.equal(['backends  none']);
  });

  it('have one for each in trouble, those that are left out first, in the most workers, for the longest', () => {
    const backends = [
      failing('http://failing'),
      out('http://short', { forMs: 900 }),
      out('http://partly', { workers: 1, forMs: 90_000 }),
      up('http://well'),
      out('http://long'),
    ];
    expect(lines(backends)).to.deep.equal([
      'backends  1 of 5 up, with 1 busy and 2 idle connections',
      'backend  http://long (a.test): left out in 2 of 2 workers for 12 s: it refuses',
      'backend  http://short (a.test): left out in 2 of 2 workers for 900 ms: it refuses',
      'backend  http://partly (a.test): left out in 1 of 2 workers for 1 min 30 s: it refuses',
      'backend  http://failing (a.test): failing in 2 of 2 workers for 12 s: it refuses',
    ]);
    expect(lines([out('http://all')])[0]).to.equal('backends  0 of 1 up');
  });

  it('call the route without a pattern that of every other name', () => {
    const { pattern, ...rest } = out('tcp://a');
    expect(pattern).to.equal('a.test');
    expect(lines([rest])[1]).to.match(/^backend {2}tcp:\/\/a \(every other name\): left out/);
  });

  it('stay few with hundreds in trouble', () => {
    const many = lines(Array.from({ length: 300 }, (_, i) => out(`http://b${i}`)));
    expect(many).to.have.length(10);
    expect(many.at(-1)).to.equal('backend  and 292 more in trouble: --json names them all');
    expect(lines(Array.from({ length: 8 }, (_, i) => out(`http://b${i}`)))).to.have.length(9);
  });

  it('have a hostile error as one short clause', () => {
    const lastError = `no\r\nworkers  \u001b[2Jnone\u2028${'x'.repeat(1_000)}`;
    const [, line = ''] = lines([out('http://a', { lastError })]);
    expect(line)
      .to.match(/: no workers \[2Jnone x+…$/)
      .and.to.have.length.below(260);
    expect(lines([out('http://a', { lastError: '' })])[1]).to.match(/for 12 s$/);
  });

  it('say which workers have not answered', () => {
    expect(lines([up('http://a')], { silentWorkers: [7] }).at(-1)).to.equal(
      'backends  1 of 2 workers has not answered in time (process 7): what it knows of backends is missing',
    );
    expect(lines([], { silentWorkers: [7, 8] })).to.deep.equal([
      'backends  not known',
      'backends  2 of 2 workers have not answered in time (processes 7, 8): what they know of backends is missing',
    ]);
  });

  it('have the failures since the start', () => {
    expect(backendLines(report([]), 'connect 3')).to.deep.equal([['backends', 'none; failures: connect 3']]);
  });
});
