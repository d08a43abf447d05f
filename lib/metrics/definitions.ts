/**
 * Every metric of the program: the one table that the recorder, the store, the text and `docs/metrics.md` are made of.
 *
 * No name of a domain, no address of a client and no URL is ever a label.
 */
import { VERSION } from '../base/version.js';
import { DEFAULT_REASONS } from '../domain/default-reason.js';
import { TIER_CACHE, TIER_DEFAULT, TIER_LRU } from '../domain/lookup.js';
import { OTHER, type Definition, type LabelsOf } from './definition.js';

/** An embedder's own sources count as one. */
export const SOURCES = ['directory', 'redis', 'manager', 'ca', OTHER] as const;
const TIERS = [TIER_LRU, TIER_CACHE, TIER_DEFAULT, ...SOURCES] as const;
export const WORKER_STATES = ['starting', 'accepting', 'draining'] as const;
export const RANKS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10'] as const;

/** From a look into a map to the wait for an order. */
const CHOICE_SECONDS = [0.0001, 0.001, 0.005, 0.02, 0.1, 0.25, 0.5, 1, 2.5, 10, 30] as const;
const LOOKUP_SECONDS = [0.0005, 0.001, 0.0025, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60] as const;
const ORDER_SECONDS = [1, 2.5, 5, 10, 20, 40, 80, 160] as const;
const BUS_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2.5] as const;
const REQUEST_SECONDS = [0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 10, 30, 120] as const;

function table<const T extends Readonly<Record<`peter_sslers_${string}`, Definition>>>(definitions: T): T {
  return definitions;
}

export const METRICS = table({
  // Handshakes: counted by the workers.
  peter_sslers_handshakes_total: {
    type: 'counter',
    help: 'TLS handshakes that have succeeded; `tier` is where the certificate came from, `key` the key of it that serves this client. Those of `why` do not count',
    labels: {
      tier: TIERS,
      protocol: ['TLSv1.2', 'TLSv1.3', OTHER],
      key: ['ecdsa', 'rsa', OTHER],
      resumed: ['no', 'yes'],
    },
  },
  peter_sslers_handshakes_failed_total: {
    type: 'counter',
    help: 'Connections that failed, or were given up, before their handshake was done; `silent`: they have sent not a byte of TLS. Those of `why` do not count',
    labels: {
      reason: [
        'not-tls',
        'plain-http',
        'no-proxy-header',
        'too-many-connections',
        'unknown-name',
        'timeout',
        'closed',
        'tls-error',
        'silent',
      ],
    },
  },
  peter_sslers_defaults_served_total: {
    type: 'counter',
    help: 'Handshakes that were served the default certificate',
    labels: { reason: DEFAULT_REASONS },
  },
  peter_sslers_certificate_choice_seconds: {
    type: 'histogram',
    help: 'How long handshakes have waited for the choice of their certificate',
    labels: { tier: TIERS },
    buckets: CHOICE_SECONDS,
  },
  peter_sslers_stale_served_total: {
    type: 'counter',
    help: 'Times that a certificate past its cache duration was served on; `primary-late` counts handshakes, the others answers of the primary',
    labels: { cause: ['unavailable', 'absent-grace', 'refresh-late', 'primary-late'] },
  },

  // The worker's LRU of secure contexts.
  peter_sslers_lru_entries: { type: 'gauge', help: 'Names with a secure context in the LRUs of all workers' },
  peter_sslers_lru_negatives: {
    type: 'gauge',
    help: 'Names that the workers know to have no certificate',
  },
  peter_sslers_lru_lookups_total: {
    type: 'counter',
    help: 'Handshakes with a server name, by what the LRU had of it',
    labels: { result: ['fresh', 'negative', 'stale', 'miss'] },
  },
  peter_sslers_lru_evictions_total: {
    type: 'counter',
    help: 'Secure contexts that were dropped for want of room (--lru-maxitems)',
  },

  // The caches of the primary.
  peter_sslers_pem_cache_entries: { type: 'gauge', help: 'Names with a certificate in the PEM cache' },
  peter_sslers_pem_cache_bytes: { type: 'gauge', help: 'What the PEM cache holds' },
  peter_sslers_pem_cache_limit_bytes: { type: 'gauge', help: 'What it may hold (--cert-cache-size)' },
  peter_sslers_pem_cache_lookups_total: {
    type: 'counter',
    help: 'Questions of workers, by what the PEM cache had of the name',
    labels: { result: ['fresh', 'retained', 'miss'] },
  },
  peter_sslers_pem_cache_evictions_total: {
    type: 'counter',
    help: 'Fresh certificates that were dropped for want of room (--cert-cache-size)',
  },
  peter_sslers_negative_entries: {
    type: 'gauge',
    help: 'Names that the primary knows to have no certificate',
  },
  peter_sslers_negative_hits_total: {
    type: 'counter',
    help: 'Questions of workers that were answered by what is remembered of a name without certificate; `error`: nobody could tell',
    labels: { kind: ['absent', 'error'] },
  },
  peter_sslers_certificate_not_after_seconds: {
    type: 'gauge',
    help: 'When the ten certificates of the PEM cache that end soonest, and have not ended, do: seconds since 1970',
    labels: { rank: RANKS },
  },
  peter_sslers_certificates_outdated: {
    type: 'gauge',
    help: 'Certificates in the PEM cache that are expired, or not valid yet, and served for want of better ones',
  },

  // Sources.
  peter_sslers_source_lookup_seconds: {
    type: 'histogram',
    help: 'Look-ups at a source, waits for the rate limit and orders included',
    labels: { source: SOURCES, outcome: ['found', 'absent', 'unavailable', 'pending'] },
    buckets: LOOKUP_SECONDS,
  },
  peter_sslers_source_up: {
    type: 'gauge',
    help: '1 while a source is asked, 0 while it is skipped since it has failed',
    labels: { source: SOURCES },
  },
  peter_sslers_miss_tokens: {
    type: 'gauge',
    help: 'Look-ups that may go to the manager at once: what is left of --miss-rate',
  },
  peter_sslers_miss_waiting: { type: 'gauge', help: 'Look-ups that wait for their turn at the manager' },

  // Orders of certificates.
  peter_sslers_orders_total: {
    type: 'counter',
    help: 'Orders that have ended; `active`: somebody else was ordering the name, `unable`: the manager cannot order at all',
    labels: { result: ['issued', 'refused', 'failed', 'active', 'unable'] },
  },
  peter_sslers_order_seconds: {
    type: 'histogram',
    help: 'How long orders took at the manager',
    buckets: ORDER_SECONDS,
  },
  peter_sslers_orders_running: { type: 'gauge', help: 'Orders at the manager' },
  peter_sslers_orders_queued: { type: 'gauge', help: 'Orders that wait for a slot' },
  peter_sslers_orders_held_off: {
    type: 'gauge',
    help: 'Names that are not ordered for a while (--autocert-holdoff)',
  },

  // The bus.
  peter_sslers_bus_resolve_seconds: {
    type: 'histogram',
    help: 'How long workers have waited for an answer of the primary; questions that wait for an order are not among them',
    buckets: BUS_SECONDS,
  },
  peter_sslers_bus_in_flight: {
    type: 'gauge',
    help: 'Requests of workers that the primary has not answered',
  },
  peter_sslers_bus_deadline_misses_total: {
    type: 'counter',
    help: 'Requests of workers that the primary has not answered in time',
  },

  // Connections of clients.
  peter_sslers_connections_open: { type: 'gauge', help: 'Connections of clients' },
  peter_sslers_connections_accepted_total: {
    type: 'counter',
    help: 'Connections of clients that were within --max-connections',
  },
  peter_sslers_connections_refused_total: {
    type: 'counter',
    help: 'Connections that were closed at once: over --max-connections (`total`) or --max-connections-per-client (`client`)',
    labels: { limit: ['total', 'client'] },
  },
  peter_sslers_tcp_connections_total: {
    type: 'counter',
    help: 'Connections of TCP mode that have ended',
    labels: {
      end: [
        'ended',
        'idle',
        'client failed',
        'backend failed',
        'stopped',
        'no backend',
        'client gone',
        'no certificate',
      ],
    },
  },
  peter_sslers_tunnels_open: { type: 'gauge', help: 'WebSockets and connections of TCP mode' },

  // Requests.
  peter_sslers_requests_total: {
    type: 'counter',
    help: 'Requests that have ended; `by` is who answered them, `code` the class of the status, `none` where the client had gone before',
    labels: {
      protocol: ['1.0', '1.1', '2.0', OTHER],
      code: ['1xx', '2xx', '3xx', '4xx', '5xx', 'none'],
      by: ['backend', 'proxy', 'admin'],
    },
  },
  peter_sslers_request_seconds: {
    type: 'histogram',
    help: 'From the head of a request to the end of its response; without WebSockets',
    labels: { by: ['backend', 'proxy', 'admin'] },
    buckets: REQUEST_SECONDS,
  },

  // Backends.
  peter_sslers_backend_connections: {
    type: 'gauge',
    help: 'Connections to HTTP backends',
    labels: { state: ['busy', 'idle'] },
  },
  peter_sslers_backends_left_out: {
    type: 'gauge',
    help: 'Backends that are left out after failures, added up over the workers, each of which finds out for itself',
  },
  peter_sslers_backend_failures_total: {
    type: 'counter',
    help: 'Attempts that backends have failed, those that another backend made good included',
    labels: { kind: ['connect', 'timeout', 'broken', 'malformed'] },
  },

  // The program.
  peter_sslers_workers: {
    type: 'gauge',
    help: 'Worker processes',
    labels: { state: WORKER_STATES },
  },
  peter_sslers_worker_restarts_total: {
    type: 'counter',
    help: 'Workers that ended unasked; `hung`: they stood still and were ended',
    labels: { cause: ['died', 'hung'] },
  },
  peter_sslers_reloads_total: {
    type: 'counter',
    help: 'Reloads of the settings; after a failed one everything stays as it was',
    labels: { result: ['ok', 'failed'] },
  },
  peter_sslers_last_reload_seconds: {
    type: 'gauge',
    help: 'When the settings were last reloaded, well or not: seconds since 1970',
    labels: { result: ['ok', 'failed'] },
  },
  peter_sslers_build_info: {
    type: 'gauge',
    help: 'Always 1; its labels tell what runs',
    labels: { version: [VERSION], node: [process.version], openssl: [process.versions.openssl] },
  },
  peter_sslers_event_loop_delay_seconds: {
    type: 'gauge',
    help: 'How late timers were, over the last half to whole minute: half of them, 99 % and all no later than this',
    labels: { share: ['p50', 'p99', 'max'] },
    perProcess: true,
  },
  peter_sslers_process_cpu_seconds_total: {
    type: 'counter',
    help: 'CPU time; that of a worker goes on with its successor',
    labels: { mode: ['user', 'system'] },
    perProcess: true,
  },
  peter_sslers_process_resident_memory_bytes: { type: 'gauge', help: 'Resident memory', perProcess: true },
  peter_sslers_process_open_fds: { type: 'gauge', help: 'Open file descriptors', perProcess: true },
  peter_sslers_process_max_fds: { type: 'gauge', help: 'How many may be open', perProcess: true },
  peter_sslers_process_start_time_seconds: {
    type: 'gauge',
    help: 'When the process was started: seconds since 1970',
    perProcess: true,
  },
});

export type Metrics = typeof METRICS;
export type MetricName = keyof Metrics;
export type LabelsFor<Name extends MetricName> = LabelsOf<Metrics[Name]>;

/** The metrics of one type. */
export type NameOf<Type extends Definition['type']> = {
  [Name in MetricName]: Metrics[Name]['type'] extends Type ? Name : never;
}[MetricName];
