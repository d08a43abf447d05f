import { expect } from 'chai';
import { healthPage, readyPage, type HealthHost } from '../../../lib/primary/health.js';
import type { SourceStatus, WorkerStatus } from '../../../lib/domain/status-report.js';

type State<T extends { readonly state: unknown }> = T['state'];

function hostWith(
  workers: readonly State<WorkerStatus>[],
  sources: readonly State<SourceStatus>[],
  entries = 0,
): HealthHost {
  return {
    supervisor: { statuses: () => workers.map((state, index) => ({ pid: index + 1, state, uptimeMs: 1 })) },
    sources: { statuses: () => sources.map((state, index) => ({ name: `source-${index + 1}`, state })) },
    pem: { stats: () => ({ entries }) },
  };
}

describe('healthz', () => {
  it('is ok while there are workers, whatever they do', () => {
    expect(healthPage(hostWith(['starting'], []))).to.include({ status: 200, body: 'ok\n' });
    expect(healthPage(hostWith(['draining'], ['skipped']))).to.include({ status: 200 });
  });

  it('is 503 without', () => {
    expect(healthPage(hostWith([], ['up']))).to.include({ status: 503, body: 'no worker is there\n' });
    expect(healthPage({ ...hostWith([], []), supervisor: undefined })).to.include({ status: 503 });
  });
});

describe('readyz', () => {
  const cases: [string, HealthHost, number, string][] = [
    ['one worker of several accepts', hostWith(['starting', 'accepting'], ['up']), 200, 'ready'],
    ['no worker accepts', hostWith(['starting', 'draining'], ['up']), 503, 'no worker accepts'],
    ['one source of two answers', hostWith(['accepting'], ['skipped', 'up']), 200, 'ready'],
    ['a source fails, and is not given up yet', hostWith(['accepting'], ['failing']), 200, 'ready'],
    [
      'no source answers, and nothing is cached',
      hostWith(['accepting'], ['skipped', 'skipped']),
      503,
      'no source answers, and nothing is cached: source-1, source-2',
    ],
    [
      'no source answers, and what is cached serves on',
      hostWith(['accepting'], ['skipped'], 1),
      200,
      'ready',
    ],
  ];
  for (const [when, host, status, text] of cases) {
    it(`is ${status} where ${when}`, () => {
      expect(readyPage(host)).to.include({ status, body: `${text}\n` });
    });
  }
});
