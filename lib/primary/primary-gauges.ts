/**
 * What is looked at when the metrics are read, in place of being counted where it happens.
 */
import type { NegativeCache } from '../caches/negative-cache.js';
import type { PemCache } from '../caches/pem-cache.js';
import type { SourceStatus } from '../domain/status-report.js';
import { OTHER } from '../metrics/definition.js';
import { RANKS, SOURCES, WORKER_STATES } from '../metrics/definitions.js';
import type { Gauge, Recorder } from '../metrics/recorder.js';
import type { Sources } from './sources.js';
import type { Supervisor } from './supervisor.js';

/** All of the cache is looked through for them: not for every read. */
const EXPIRIES_EVERY_MS = 10_000;
const MS_PER_S = 1000;

export interface PrimaryGaugesParts {
  readonly pem: Pick<PemCache, 'stats' | 'maxBytes' | 'expiries'>;
  readonly negative: Pick<NegativeCache, 'size'>;
  readonly sources: Pick<Sources, 'statuses' | 'missBudget' | 'orderLoad'>;
  readonly supervisor: Pick<Supervisor, 'statuses'>;
}

export class PrimaryGauges {
  readonly #parts: PrimaryGaugesParts;
  readonly #now: () => number;
  readonly #series;
  #expiriesAtMs = -Infinity;

  /** @param now milliseconds from any origin. */
  constructor(recorder: Recorder, parts: PrimaryGaugesParts, now: () => number) {
    this.#parts = parts;
    this.#now = now;
    const up = recorder.gauge('peter_sslers_source_up');
    const workers = recorder.gauge('peter_sslers_workers');
    const notAfter = recorder.gauge('peter_sslers_certificate_not_after_seconds');
    this.#series = {
      entries: recorder.gauge('peter_sslers_pem_cache_entries').with({}),
      bytes: recorder.gauge('peter_sslers_pem_cache_bytes').with({}),
      limit: recorder.gauge('peter_sslers_pem_cache_limit_bytes').with({}),
      negatives: recorder.gauge('peter_sslers_negative_entries').with({}),
      outdated: recorder.gauge('peter_sslers_certificates_outdated').with({}),
      tokens: recorder.gauge('peter_sslers_miss_tokens').with({}),
      waiting: recorder.gauge('peter_sslers_miss_waiting').with({}),
      running: recorder.gauge('peter_sslers_orders_running').with({}),
      queued: recorder.gauge('peter_sslers_orders_queued').with({}),
      heldOff: recorder.gauge('peter_sslers_orders_held_off').with({}),
      up: SOURCES.map((source): [string, Gauge] => [source, up.with({ source })]),
      workers: WORKER_STATES.map((state): [string, Gauge] => [state, workers.with({ state })]),
      notAfter: RANKS.map((rank) => notAfter.with({ rank })),
    };
  }

  set(): void {
    const { pem, negative, sources, supervisor } = this.#parts;
    const series = this.#series;
    const { entries, bytes } = pem.stats();
    series.entries.set(entries);
    series.bytes.set(bytes);
    series.limit.set(pem.maxBytes);
    series.negatives.set(negative.size);
    this.#setExpiries();
    const budget = sources.missBudget();
    series.tokens.set(budget?.tokens ?? NaN);
    series.waiting.set(budget?.waiting ?? NaN);
    const orders = sources.orderLoad();
    series.running.set(orders?.running ?? NaN);
    series.queued.set(orders?.queued ?? NaN);
    series.heldOff.set(orders?.heldOff ?? NaN);
    this.#setSources(sources.statuses());
    const workers = supervisor.statuses();
    for (const [state, gauge] of series.workers)
      gauge.set(workers.filter((one) => one.state === state).length);
  }

  #setExpiries(): void {
    const nowMs = this.#now();
    if (nowMs - this.#expiriesAtMs < EXPIRIES_EVERY_MS) return;
    this.#expiriesAtMs = nowMs;
    const { soonestMs, outdated } = this.#parts.pem.expiries(RANKS.length);
    this.#series.outdated.set(outdated);
    this.#series.notAfter.forEach((gauge, i) => gauge.set((soonestMs[i] ?? NaN) / MS_PER_S));
  }

  /** Of several sources with one label the sickest is told. */
  #setSources(statuses: readonly SourceStatus[]): void {
    for (const [label, gauge] of this.#series.up) {
      const isOwn = (name: string): boolean => name === label || (label === OTHER && !isKnown(name));
      const own = statuses.filter(({ name }) => isOwn(name));
      gauge.set(own.length === 0 ? NaN : Number(own.every(({ state }) => state !== 'skipped')));
    }
  }
}

function isKnown(source: string): boolean {
  return SOURCES.some((name) => name === source);
}
