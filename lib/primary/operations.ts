/**
 * What the operations of `admin/operations.ts` do, in the primary: one function each, which only joins what others can.
 */
import type { Call, OperationHandlers, Reloaded, RunningConfig } from '../admin/operations.js';
import { VERSION } from '../base/version.js';
import type { NegativeCache } from '../caches/negative-cache.js';
import type { PemCache } from '../caches/pem-cache.js';
import type { Settings } from '../config/settings.js';
import { addressText, type Address } from '../domain/address.js';
import type { WorkersExpired } from '../domain/cache-status.js';
import type { CertificatePair } from '../domain/certificate.js';
import type { ServerName } from '../domain/server-name.js';
import type { StatusReport } from '../domain/status-report.js';
import type { Resolver } from '../resolver/resolver.js';
import { listCertificates } from './certificate-list.js';
import type { Sources } from './sources.js';
import type { Supervisor } from './supervisor.js';
import { why } from './why.js';

/** What the operations work with: the primary, as far as they need it. Asked anew each time, as a reload changes it. */
export interface OperationHost {
  readonly settings: Settings;
  readonly resolver: Resolver;
  readonly pem: PemCache;
  readonly negative: NegativeCache;
  readonly sources: Sources;
  readonly supervisor: Supervisor | undefined;
  readonly addresses: readonly Address[];
  readonly httpAddresses: readonly Address[];
  readonly defaultPairs: readonly CertificatePair[];
  readonly lastReload: { readonly atMs: number; readonly failure?: string } | undefined;
  /** Milliseconds of `performance.now`. */
  readonly startedAtMs: number;
  expireAll(options: { readonly hard: boolean; readonly workers: boolean }): Promise<Partial<WorkersExpired>>;
  expireDomain(name: ServerName, options: { readonly workers: boolean }): Promise<Partial<WorkersExpired>>;
  /** What is in use, and what a reload would change. */
  config(): RunningConfig;
  reload(): Promise<Reloaded>;
  /** Begins to stop. */
  requestStop(): void;
}

const SOON_MS = 14 * 86_400_000;
/** Certificates that are named in a status. */
const MAX_NAMED = 20;

export function operationHandlers(host: OperationHost): OperationHandlers {
  return {
    status: () => Promise.resolve(statusOf(host)),
    why: ({ name }) =>
      why(name, {
        settings: host.settings,
        resolver: host.resolver,
        addresses: host.addresses,
        defaultPairs: host.defaultPairs,
        date: Date.now,
        askWorkers: async (one) => (await host.supervisor?.askAll('inspect', { name: one })) ?? [],
      }),
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

function statusOf(host: OperationHost): StatusReport {
  const { settings, pem, negative, lastReload } = host;
  const atMs = Date.now();
  const expiring = pem.endingBetween(atMs, atMs + SOON_MS);
  const outdated = pem.outdated(atMs);
  const nowMs = performance.now();
  return {
    version: VERSION,
    node: process.versions.node,
    pid: process.pid,
    atMs,
    uptimeMs: nowMs - host.startedAtMs,
    listeners: [...urlsOf('https', host.addresses), ...urlsOf('http', host.httpAddresses)],
    workers: host.supervisor?.statuses() ?? [],
    cache: {
      ...pem.stats(),
      maxBytes: settings.certCacheSizeBytes,
      negatives: negative.size,
      maxNegatives: settings.negativeMaxItems,
    },
    sources: host.sources.statuses(),
    orders: host.resolver.status().autocert,
    certificates: {
      expiring: expiring.slice(0, MAX_NAMED),
      expiringCount: expiring.length,
      outdated: outdated.slice(0, MAX_NAMED),
      outdatedCount: outdated.length,
    },
    ...(lastReload !== undefined && {
      lastReload: {
        agoMs: nowMs - lastReload.atMs,
        ...(lastReload.failure !== undefined && { failure: lastReload.failure }),
      },
    }),
  };
}

/** `https://127.0.0.1:8443`; a unix socket is no URL. */
export function urlsOf(scheme: string, addresses: readonly Address[]): string[] {
  return addresses.map((address) =>
    'port' in address ? `${scheme}://${addressText(address)}` : addressText(address),
  );
}
