/**
 * A program that only plays: believable numbers for the dashboard, in states that a real one is brought into with more trouble.
 */
import { NO_TRAFFIC } from './no-traffic.js';
import type { WhyReport } from '../../lib/diagnosis/report.js';
import type { BackendsReport } from '../../lib/domain/backend-status.js';
import type { StatusReport } from '../../lib/domain/status-report.js';

export type PlayState = 'calm' | 'source down' | 'empty' | 'hostile';

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value?: number;
  readonly count?: number;
  readonly sum?: number;
}

const DAY_MS = 86_400_000;
export const HOSTILE = '<img src=x onerror=alert(1)>.test';

/** How many a second, of each tier. */
const TIER_RATES = { lru: 178, cache: 4.3, redis: 1.2, manager: 0.35, ca: 0, default: 0.5 };
const OUTCOMES: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  redis: { found: 1.3, absent: 0.7, unavailable: 0, pending: 0 },
  manager: { found: 0.35, absent: 0.33, unavailable: 0, pending: 0.05 },
};
const TOOK_S: Readonly<Record<string, number>> = { redis: 0.0008, manager: 0.046 };

export class Play {
  state: PlayState;
  readonly pid = 4711;
  readonly #startMs: number;
  readonly #counters = new Map<string, Sample>();
  #atMs: number;

  constructor(state: PlayState, atMs = Date.now()) {
    this.state = state;
    this.#atMs = atMs;
    this.#startMs = atMs - (state === 'empty' ? 400 : 3.2 * DAY_MS);
    if (state !== 'empty') this.#count(600);
  }

  /** A second passes. */
  step(): void {
    this.#atMs += 1_000;
    if (this.state !== 'empty') this.#count(1);
  }

  frame(): { status: StatusReport; series: Sample[] } {
    const whole = (sample: Sample): Sample =>
      sample.value === undefined || sample.name.endsWith('_seconds_total')
        ? sample
        : { ...sample, value: Math.round(sample.value) };
    const series =
      this.state === 'empty' ? [] : [...[...this.#counters.values()].map(whole), ...this.#gauges()];
    return { status: this.status(), series };
  }

  status(): StatusReport {
    const isEmpty = this.state === 'empty';
    const isDown = this.state === 'source down';
    const hostile = this.state === 'hostile';
    const named = hostile ? HOSTILE : 'shop.customer-one.example';
    return {
      ...{
        version: '0.5.0',
        node: '26.1.0',
        pid: this.pid,
        atMs: this.#atMs,
        uptimeMs: this.#atMs - this.#startMs,
      },
      traffic: NO_TRAFFIC,
      listeners: ['https://0.0.0.0:443', 'http://0.0.0.0:80'],
      adminListeners: ['http://127.0.0.1:9443'],
      workers: isEmpty
        ? []
        : [4720, 4721].map((pid) => ({
            pid,
            state: 'accepting' as const,
            uptimeMs: this.#atMs - this.#startMs,
          })),
      cache: isEmpty
        ? { entries: 0, bytes: 0, maxBytes: 67_108_864, negatives: 0, maxNegatives: 100_000 }
        : { entries: 1_482, bytes: 11_900_000, maxBytes: 67_108_864, negatives: 37, maxNegatives: 100_000 },
      sources: [
        { name: 'redis', state: 'up' },
        isDown
          ? {
              ...{ name: 'manager', state: 'skipped', troubledForMs: 252_000 },
              lastError: 'connect ECONNREFUSED 192.0.2.10:7201',
            }
          : { name: 'manager', state: 'up', ...(hostile && { lastError: HOSTILE }) },
      ],
      orders: isEmpty ? [] : isDown ? [] : [named, 'new.customer-two.example'],
      certificates: isEmpty
        ? { expiring: [], expiringCount: 0, outdated: [], outdatedCount: 0 }
        : {
            expiring: [
              named,
              'www.customer-three.example',
              'mail.customer-four.example',
              'api.customer-five.example',
            ].map((name, i) => ({
              name,
              tier: i === 2 ? 'manager' : 'redis',
              notAfterMs: this.#atMs + (4 + i * 2.6) * DAY_MS,
            })),
            expiringCount: 4,
            outdated: isDown
              ? [{ name: 'old.customer-six.example', tier: 'redis', notAfterMs: this.#atMs - 2 * DAY_MS }]
              : [],
            outdatedCount: isDown ? 1 : 0,
          },
      ...(!isEmpty && { lastReload: { agoMs: 7_400_000 }, backends: this.#backends() }),
    };
  }

  #backends(): BackendsReport {
    const lastError = this.state === 'hostile' ? HOSTILE : 'connect ECONNREFUSED 192.0.2.21:8080';
    const isWell = this.state === 'calm';
    const up = { state: 'up', busy: 19, idle: 11, workers: 2 } as const;
    return {
      ...{ workers: 2, silentWorkers: [], count: 2, upCount: isWell ? 2 : 1 },
      backends: [
        {
          ...{ pattern: '*.customer-one.example', name: 'http://192.0.2.21:8080', ...up },
          ...(!isWell && {
            ...{ state: 'left out', busy: 0, idle: 0 },
            trouble: { workers: 2, forMs: 12_000, lastError, lastErrorAgoMs: 300 },
          }),
        },
        { name: 'http://192.0.2.22:8080', ...up },
      ],
    };
  }

  /** What happens within so many seconds. */
  #count(seconds: number): void {
    const wave = 1 + 0.25 * Math.sin(this.#atMs / 47_000) + 0.12 * Math.sin(this.#atMs / 7_000);
    const isDown = this.state === 'source down';
    const add = (name: string, labels: Sample['labels'], value: number): void => {
      const key = JSON.stringify([name, labels]);
      this.#counters.set(key, {
        name,
        labels,
        value: (this.#counters.get(key)?.value ?? 0) + value * seconds,
      });
    };
    const observe = (name: string, labels: Sample['labels'], count: number, each: number): void => {
      const key = JSON.stringify([name, labels]);
      const { count: before = 0, sum = 0 } = this.#counters.get(key) ?? {};
      this.#counters.set(key, {
        name,
        labels,
        count: before + count * seconds,
        sum: sum + count * seconds * each,
      });
    };
    for (const [tier, rate] of Object.entries(TIER_RATES)) {
      const now = (isDown && tier === 'manager' ? 0 : isDown && tier === 'default' ? 2.1 : rate) * wave;
      add('peter_sslers_handshakes_total', { tier, protocol: 'TLSv1.3', key: 'ecdsa', resumed: 'no' }, now);
      observe(
        'peter_sslers_certificate_choice_seconds',
        { tier },
        now,
        { lru: 0.00002, cache: 0.0011, redis: 0.0024, manager: 0.051, ca: 0.004, default: 0.009 }[tier] ?? 0,
      );
    }
    add('peter_sslers_handshakes_failed_total', { reason: 'closed' }, 0.4 * wave);
    add('peter_sslers_pem_cache_lookups_total', { result: 'fresh' }, 4.3 * wave);
    add('peter_sslers_pem_cache_lookups_total', { result: 'miss' }, 2 * wave);
    observe('peter_sslers_bus_resolve_seconds', {}, 6.3 * wave, 0.0013);
    for (const [source, outcomes] of Object.entries(OUTCOMES)) {
      for (const [outcome, rate] of Object.entries(outcomes)) {
        const now = isDown && source === 'manager' ? (outcome === 'unavailable' ? 0.2 : 0) : rate;
        observe('peter_sslers_source_lookup_seconds', { source, outcome }, now * wave, TOOK_S[source] ?? 0);
      }
    }
    add('peter_sslers_defaults_served_total', { reason: 'no-server-name' }, 0.3 * wave);
    add('peter_sslers_defaults_served_total', { reason: 'absent-cached' }, 0.15 * wave);
    add('peter_sslers_defaults_served_total', { reason: 'absent' }, 0.05 * wave);
    add('peter_sslers_defaults_served_total', { reason: 'unavailable' }, isDown ? 1.6 * wave : 0);
    for (const [code, rate] of Object.entries({ '2xx': 812, '3xx': 96, '4xx': 31, '5xx': 0.6 })) {
      add('peter_sslers_requests_total', { protocol: '2.0', code, by: 'backend' }, rate * wave);
    }
    observe('peter_sslers_request_seconds', { by: 'backend' }, 940 * wave, 0.038);
    add('peter_sslers_orders_total', { result: 'issued' }, 0.01);
    add('peter_sslers_orders_total', { result: 'failed' }, 0.001);
    for (const [process, share] of [
      ['primary', 0.04],
      ['worker-1', 0.37],
      ['worker-2', 0.35],
    ] as const) {
      add('peter_sslers_process_cpu_seconds_total', { process, mode: 'user' }, share * wave);
    }
  }

  #gauges(): Sample[] {
    const gauge = (name: string, value: number, labels: Sample['labels'] = {}): Sample => ({
      name,
      labels,
      value,
    });
    const processes = ['primary', 'worker-1', 'worker-2'];
    return [
      gauge('peter_sslers_connections_open', 2_318),
      gauge('peter_sslers_lru_entries', 1_904),
      gauge('peter_sslers_lru_negatives', 12),
      gauge('peter_sslers_tunnels_open', 41),
      gauge('peter_sslers_backend_connections', 38, { state: 'busy' }),
      gauge('peter_sslers_backend_connections', 22, { state: 'idle' }),
      gauge('peter_sslers_backends_left_out', this.state === 'calm' ? 0 : 2),
      gauge('peter_sslers_orders_running', this.state === 'source down' ? 0 : 2),
      gauge('peter_sslers_orders_queued', 0),
      gauge('peter_sslers_orders_held_off', 3),
      ...processes.flatMap((process, i) => [
        gauge('peter_sslers_process_resident_memory_bytes', 92e6 + i * 31e6, { process }),
        gauge('peter_sslers_event_loop_delay_seconds', 0.0021 + i * 0.003, { process, share: 'p99' }),
        gauge('peter_sslers_process_open_fds', 90 + i * 700, { process }),
      ]),
      ...Array.from({ length: 10 }, (_, i) =>
        gauge(
          'peter_sslers_certificate_not_after_seconds',
          (this.#atMs + (4 + i * 2.6 + (i > 3 ? 6 + i * i * 0.5 : 0)) * DAY_MS) / 1_000,
          { rank: String(i + 1) },
        ),
      ),
    ];
  }

  why(asked: string): WhyReport {
    const isMissing = asked.startsWith('missing');
    const leaf = {
      ...{ fingerprint: 'ab12'.repeat(16), names: [asked], issuer: 'Example CA R3', key: 'EC P-256' },
      ...{ notBeforeMs: this.#atMs - 60 * DAY_MS, notAfterMs: this.#atMs + 30 * DAY_MS },
    };
    const cached = {
      ...{ state: 'fresh' as const, ageMs: 61_000, leftMs: 540_000, tier: 'redis' },
      ...{ fingerprints: [leaf.fingerprint], notAfterMs: leaf.notAfterMs },
    };
    return {
      ...{ asked, name: asked, atMs: this.#atMs },
      settings: {
        ...{
          certCacheDurationMs: 600_000,
          lruCacheDurationMs: 60_000,
          lookupTimeoutMs: 1_000,
          absentGraceMs: DAY_MS,
        },
        ...{ wildcards: false, rejectsUnknownNames: false },
      },
      route: { pattern: '*', backends: ['http://127.0.0.1:8080'] },
      workers: [4720, 4721].map((pid) => ({ pid, isPrimaryLate: false, ...(!isMissing && { cached }) })),
      facts: {
        name: asked,
        primary: isMissing
          ? { isPurged: false }
          : { isPurged: false, cached: { ...cached, leaves: [leaf], isProvisional: false } },
        sources: [
          isMissing
            ? { name: 'redis', said: 'absent', tookMs: 0.7, candidates: [], remarks: [] }
            : {
                name: 'redis',
                said: 'found',
                tookMs: 0.7,
                remarks: [],
                candidates: [{ leaf, verdict: 'best' }],
              },
          {
            ...{ name: 'manager', said: 'absent', tookMs: 48, candidates: [], remarks: [] },
            orders: {
              isEnabled: true,
              heldMs: 0,
              activeElsewhereMs: 0,
              obstacle: 'no pattern of --autocert-allow has it',
              isNotAllowed: true,
            },
          },
        ],
      },
      clients: (['modern', 'RSA only', 'TLS 1.2'] as const).map((client) => ({
        ...{ client, tookMs: 3, protocol: client === 'modern' ? 'TLSv1.3' : 'TLSv1.2', isDefault: isMissing },
        leaf: isMissing ? { ...leaf, names: ['localhost'], issuer: 'peter-sslers-proxy default' } : leaf,
      })),
      diagnosis: isMissing
        ? {
            ...{ code: 'not-allowed', isServed: false },
            sentence: `The default certificate is served: no source has a certificate of ${asked}, and none is ordered, as no pattern of --autocert-allow has it.`,
            remedy: { says: 'Allow it, and reload:', command: `--autocert-allow '${asked}'` },
          }
        : {
            code: 'served',
            isServed: true,
            sentence: `A certificate of ${asked} is served, from redis, valid for 30 d more.`,
          },
    };
  }
}
