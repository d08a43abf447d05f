/**
 * A worker's settings as tests have them that start none: the program's defaults, small where a test is to reach a bound.
 */
import type { WorkerSettings } from '../../lib/config/worker-settings.js';
import type { LimitSettings } from '../../lib/config/settings.js';

export const LIMITS: LimitSettings = {
  maxHeaderBytes: 16_384,
  headerTimeoutMs: 10_000,
  idleTimeoutMs: 60_000,
  bodyTimeoutMs: 60_000,
  backendConnectTimeoutMs: 5_000,
  backendHeadersTimeoutMs: 60_000,
  backendBodyTimeoutMs: 60_000,
  tcpIdleTimeoutMs: 3_600_000,
  maxConnections: 10_000,
  maxConnectionsPerClient: 10_000,
};

export function workerSettings(changes: Partial<WorkerSettings>): WorkerSettings {
  return {
    routes: [],
    acceptProxyProtocol: [],
    unknownName: 'serve',
    headers: { trustedProxies: [], via: false, forwardTlsInfo: false },
    limits: LIMITS,
    challenges: { servers: [] },
    listenerPairs: [null],
    defaultPairs: [],
    choosesByAddress: false,
    certCacheDurationMs: 600_000,
    lruCacheDurationMs: 60_000,
    lruMaxItems: 200,
    errorCacheDurationMs: 5_000,
    negativeMaxItems: 100,
    admin: { prefix: '/.peter_sslers', hosts: [] },
    log: { level: 'debug', format: 'json' },
    handshakeTimeoutMs: 5_000,
    lookupTimeoutMs: 2_000,
    refreshTimeoutMs: 100,
    autocertTimeoutMs: 30_000,
    drainTimeoutMs: 30_000,
    ticketKeys: '',
    ...changes,
  };
}
