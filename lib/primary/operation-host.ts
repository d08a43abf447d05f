/** The primary as the operations see it. */
import type { Reloaded, RunningConfig } from '../admin/operations.js';
import type { NegativeCache } from '../caches/negative-cache.js';
import type { PemCache } from '../caches/pem-cache.js';
import type { Settings } from '../config/settings.js';
import type { Address } from '../domain/address.js';
import type { WorkersExpired } from '../domain/cache-status.js';
import type { CertificatePair } from '../domain/certificate.js';
import type { ServerName } from '../domain/server-name.js';
import type { Resolver } from '../resolver/resolver.js';
import type { PrimaryMetrics } from './metrics.js';
import type { Sources } from './sources.js';
import type { Supervisor } from './supervisor.js';

/** What the operations work with: the primary, as far as they need it. Asked anew each time, as a reload changes it. */
export interface OperationHost {
  readonly settings: Settings;
  readonly resolver: Resolver;
  readonly pem: PemCache;
  readonly negative: NegativeCache;
  readonly sources: Sources;
  readonly metrics: PrimaryMetrics;
  readonly supervisor: Supervisor | undefined;
  readonly addresses: readonly Address[];
  readonly httpAddresses: readonly Address[];
  readonly adminAddresses: readonly Address[];
  readonly defaultPairs: readonly CertificatePair[];
  readonly lastReload: { readonly atMs: number; readonly failure?: string } | undefined;
  /** Milliseconds of `performance.now`. */
  readonly startedAtMs: number;
  /** @param options `workers`: the workers' LRUs too. @default as `--expire-workers` says */
  expireAll(options: {
    readonly hard: boolean;
    readonly workers?: boolean;
  }): Promise<Partial<WorkersExpired>>;
  expireDomain(name: ServerName, options?: { readonly workers?: boolean }): Promise<Partial<WorkersExpired>>;
  /** What is in use, and what a reload would change. */
  config(): RunningConfig;
  reload(): Promise<Reloaded>;
  /** Begins to stop. */
  requestStop(): void;
}
