/**
 * How the program does: its processes, caches, sources and certificates as they are, and what has happened since the start.
 */
import { VERSION } from '../base/version.js';
import { addressText, type Address } from '../domain/address.js';
import type { Counted, StatusReport, TrafficStatus } from '../domain/status-report.js';
import { SOURCES } from '../metrics/definitions.js';
import type { MetricsStore } from '../metrics/store.js';
import type { OperationHost } from './operation-host.js';

type StatusHost = Pick<
  OperationHost,
  | 'settings'
  | 'pem'
  | 'negative'
  | 'lastReload'
  | 'startedAtMs'
  | 'addresses'
  | 'httpAddresses'
  | 'adminAddresses'
  | 'supervisor'
  | 'sources'
  | 'resolver'
  | 'metrics'
>;

const SOON_MS = 14 * 86_400_000;
/** Certificates that are named in a status. */
const MAX_NAMED = 20;

/** What `status` tells. @param store the numbers as they are now. */
export function statusOf(host: StatusHost, store = host.metrics.store): StatusReport {
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
    listeners: [
      ...urlsOf('https', host.addresses),
      ...urlsOf('http', [...host.httpAddresses, ...host.adminAddresses]),
    ],
    adminListeners: urlsOf('http', host.adminAddresses),
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
    traffic: trafficOf(store),
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

function trafficOf(store: MetricsStore): TrafficStatus {
  return {
    handshakes: counted(store.valuesBy('peter_sslers_handshakes_total', 'tier')),
    resumed: store.value('peter_sslers_handshakes_total', { resumed: 'yes' }),
    failed: counted(store.valuesBy('peter_sslers_handshakes_failed_total', 'reason')),
    defaults: counted(store.valuesBy('peter_sslers_defaults_served_total', 'reason')),
    stale: counted(store.valuesBy('peter_sslers_stale_served_total', 'cause')),
    lru: counted(store.valuesBy('peter_sslers_lru_lookups_total', 'result')),
    pem: counted(store.valuesBy('peter_sslers_pem_cache_lookups_total', 'result')),
    evictions: {
      lru: store.value('peter_sslers_lru_evictions_total'),
      pem: store.value('peter_sslers_pem_cache_evictions_total'),
    },
    sources: sourcesOf(store),
    orders: counted(store.valuesBy('peter_sslers_orders_total', 'result')),
    ordersHeldOff: store.value('peter_sslers_orders_held_off'),
    requests: counted(store.valuesBy('peter_sslers_requests_total', 'code')),
    connectionsOpen: store.value('peter_sslers_connections_open'),
    tunnelsOpen: store.value('peter_sslers_tunnels_open'),
    backendFailures: counted(store.valuesBy('peter_sslers_backend_failures_total', 'kind')),
    backendsLeftOut: store.value('peter_sslers_backends_left_out'),
  };
}

function sourcesOf(store: MetricsStore): TrafficStatus['sources'] {
  const outcomes = ['found', 'absent', 'unavailable', 'pending'] as const;
  const entries = SOURCES.map((source) => {
    const by = outcomes.map(
      (outcome) =>
        [outcome, store.histogram('peter_sslers_source_lookup_seconds', { source, outcome })] as const,
    );
    const count = by.reduce((total, [, some]) => total + some.count, 0);
    const sum = by.reduce((total, [, some]) => total + some.sum, 0);
    return [
      source,
      {
        outcomes: counted(by.map(([outcome, some]) => [outcome, some.count] as const)),
        meanMs: count === 0 ? 0 : (sum / count) * 1_000,
      },
    ] as const;
  });
  return Object.fromEntries(entries.filter(([, { outcomes: some }]) => Object.keys(some).length > 0));
}

/** What has not happened is left out. */
function counted(pairs: Iterable<readonly [string, number]>): Counted {
  return Object.fromEntries([...pairs].filter(([, count]) => count > 0));
}
