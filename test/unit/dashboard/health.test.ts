import { expect } from 'chai';
import { healthOf } from '../../../lib/dashboard/health.js';
import type { StatusReport } from '../../../lib/domain/status-report.js';
import { counter, facts, NOW_MS } from './frames.js';

const DAY_MS = 86_400_000;
const health = (changes: Partial<StatusReport> = {}) => healthOf(facts([], [], changes));

describe('The headline of the dashboard', () => {
  it('says that all is well, and what goes on', () => {
    const before = [
      counter('handshakes_total', 0, { tier: 'lru' }),
      counter('handshakes_total', 0, { tier: 'default' }),
    ];
    const now = [
      counter('handshakes_total', 90, { tier: 'lru' }),
      counter('handshakes_total', 10, { tier: 'default' }),
    ];
    expect(healthOf(facts(before, now))).to.deep.equal({
      ...{ level: 'good', headline: 'All well', troubles: [] },
      summary: '10 handshakes a second, 90 % with a certificate of their name. 1 worker accepting, up 1 h.',
    });
  });

  it('says that a program without a worker starts', () => {
    expect(health({ workers: [] })).to.include({ level: 'busy', headline: 'Starting' });
  });

  it('names the source that is down, since when and with its error', () => {
    const { level, headline, troubles } = health({
      sources: [{ name: 'manager', state: 'skipped', troubledForMs: 61_000, lastError: 'ECONNREFUSED' }],
    });
    expect({ level, headline }).to.deep.equal({ level: 'bad', headline: 'Manager is down' });
    expect(troubles[0]).to.include({
      says: 'Manager is down for 1 min 1 s: look-ups skip it.',
      detail: 'ECONNREFUSED',
    });
  });

  it('puts the worst first, and counts the others', () => {
    const { headline, troubles } = health({
      sources: [{ name: 'redis', state: 'failing' }],
      certificates: {
        ...{ expiring: [{ name: 'a.test', tier: 'redis', notAfterMs: NOW_MS + DAY_MS }], expiringCount: 1 },
        ...{ outdated: [{ name: 'b.test', tier: 'redis', notAfterMs: NOW_MS - DAY_MS }], outdatedCount: 1 },
      },
      lastReload: { agoMs: 1_000, failure: 'no such file' },
    });
    expect(headline).to.equal('Certificates outside of their dates are served, and 3 more troubles');
    expect(troubles.map(({ level }) => level)).to.deep.equal(['bad', 'warn', 'warn', 'warn']);
  });

  it('says how many certificates are about to end, where the list of them goes no further than it knows', () => {
    const expiring = Array.from({ length: 20 }, (_, i) => ({
      ...{ name: `n${i}.test`, tier: 'redis' as const, notAfterMs: NOW_MS + DAY_MS },
    }));
    const said = (expiringCount: number): unknown => {
      const { troubles } = health({
        certificates: { expiring, expiringCount, outdated: [], outdatedCount: 0 },
      });
      return [troubles[0]?.says, troubles[0]?.detail];
    };
    expect(said(20)).to.deep.equal([
      '20 certificates end within three days.',
      'n0.test, n1.test, n2.test and 17 more',
    ]);
    expect(said(1_000)).to.deep.equal([
      'At least 20 certificates end within three days.',
      'n0.test, n1.test, n2.test and at least 17 more',
    ]);
  });

  it('says how many backends are left out, likewise', () => {
    const backends = Array.from({ length: 20 }, (_, i) => ({
      ...{ name: `http://192.0.2.${i}`, state: 'left out' as const, busy: 0, idle: 0, workers: 2 },
    }));
    const said = (count: number): string | undefined => {
      const report = { workers: 2, silentWorkers: [], count, upCount: 0, backends };
      const left = counter('backends_left_out', 2 * count, {});
      return healthOf(facts([left], [left], { backends: report })).troubles[0]?.detail;
    };
    expect(said(20)).to.match(/ and 17 more$/);
    expect(said(300)).to.match(/ and at least 17 more$/);
  });

  const growing = [
    ['a worker that died', 'worker_restarts_total', { cause: 'died' }, 'Workers die'],
    [
      'defaults for trouble',
      'defaults_served_total',
      { reason: 'unavailable' },
      'Default certificates are served for trouble here',
    ],
    ['a primary that is late', 'bus_deadline_misses_total', {}, 'The primary is late'],
    [
      'connections over the limit',
      'connections_refused_total',
      { limit: 'total' },
      'Connections are refused',
    ],
    ['evictions', 'pem_cache_evictions_total', {}, 'The PEM cache is full'],
    ['many 5xx', 'requests_total', { code: '5xx' }, 'Many requests are answered 5xx'],
  ] as const;
  for (const [what, name, labels, headline] of growing) {
    it(`tells of ${what} while it goes on, and no longer`, () => {
      expect(healthOf(facts([counter(name, 0, labels)], [counter(name, 50, labels)])).headline).to.equal(
        headline,
      );
      expect(healthOf(facts([counter(name, 50, labels)], [counter(name, 50, labels)])).headline).to.equal(
        'All well',
      );
    });
  }

  it('finds nothing wrong with defaults that clients ask for', () => {
    const name = 'defaults_served_total';
    const labels = { reason: 'no-server-name' };
    expect(healthOf(facts([counter(name, 0, labels)], [counter(name, 50, labels)])).level).to.equal('good');
  });
});
