/**
 * What the operations of `admin/operations.ts` do, in the primary: one function each, which only joins what others can.
 */
import type { Call, OperationHandlers } from '../admin/operations.js';
import { TEXT_CONTENT_TYPE } from '../metrics/text.js';
import type { OperationHost } from './operation-host.js';
import { backendsReport } from './backends.js';
import { listCertificates } from './certificate-list.js';
import { healthPage, readyPage } from './health.js';
import { dashboardPage } from './dashboard.js';
import { askBackends, type Snapshots } from './snapshots.js';
import { statusOf } from './status.js';
import { why } from './why.js';

export function operationHandlers(host: OperationHost, snapshots: Snapshots): OperationHandlers {
  return {
    status: async () => {
      const backends = backendsReport(await askBackends(host));
      return { ...statusOf(host), backends };
    },
    why: ({ name }) =>
      why(name, {
        settings: host.settings,
        resolver: host.resolver,
        addresses: host.addresses,
        defaultPairs: host.defaultPairs,
        date: Date.now,
        announce: async (marker, forMs) => host.supervisor?.askAll('ownHandshakes', { marker, forMs }),
        askWorkers: async (one) => (await host.supervisor?.askAll('inspect', { name: one })) ?? [],
      }),
    dashboard: () => dashboardPage().then((page) => ({ status: 200, ...page })),
    snapshot: () => Promise.resolve(snapshots.make()),
    metrics: () =>
      Promise.resolve({
        status: 200,
        headers: { 'content-type': TEXT_CONTENT_TYPE },
        body: host.metrics.text(),
      }),
    healthz: () => Promise.resolve(healthPage(host)),
    readyz: () => Promise.resolve(readyPage(host)),
    expireAll: async (options) => ({ expired: 'all', ...(await host.expireAll(options)) }),
    expireDomain: async ({ name, workers }) => ({
      expired: name,
      ...(await host.expireDomain(name, { workers })),
    }),
    warm: async ({ name }) => {
      const resolution = await host.resolver.resolve({ name, phase: 'lookup', client: '' });
      return {
        name,
        outcome: resolution.kind === 'unchanged' ? 'found' : resolution.kind,
        ...('tier' in resolution && { tier: resolution.tier }),
        ...('reason' in resolution && { reason: resolution.reason }),
      };
    },
    certificates: (wanted) =>
      listCertificates(
        { kept: host.pem.halves(), directory: host.sources.directoryCertificates(), nowMs: Date.now() },
        wanted,
      ),
    config: () => Promise.resolve(host.config()),
    reload: () => host.reload(),
    stop: () => {
      host.requestStop();
      return Promise.resolve({ pid: process.pid, drainTimeoutMs: host.settings.drainTimeoutMs });
    },
  };
}

/** Runs an operation. The compiler does not follow that the parameters are the operation's own. */
export function operate(handlers: OperationHandlers, { op, params }: Call): Promise<unknown> {
  return (handlers[op] as (params: unknown) => Promise<unknown>)(params);
}
