/**
 * Counts what happens in the primary: as the observer of the resolver and of the sources, and for the supervisor.
 */
import type { Recorder } from '../metrics/recorder.js';
import type { ResolverObserver, StaleCause } from '../resolver/observer.js';
import type { OrderResult } from '../domain/order-result.js';
import type { LookupOutcome } from '../sources/limits/measured-source.js';
import type { SourcesObserver } from './sources.js';

const MS_PER_S = 1000;

export class PrimaryEvents implements ResolverObserver, SourcesObserver {
  readonly #series;

  constructor(recorder: Recorder) {
    this.#series = {
      evictions: recorder.counter('peter_sslers_pem_cache_evictions_total').with({}),
      lookups: recorder.counter('peter_sslers_pem_cache_lookups_total'),
      negative: recorder.counter('peter_sslers_negative_hits_total'),
      stale: recorder.counter('peter_sslers_stale_served_total'),
      sources: recorder.histogram('peter_sslers_source_lookup_seconds'),
      orders: recorder.counter('peter_sslers_orders_total'),
      orderSeconds: recorder.histogram('peter_sslers_order_seconds').with({}),
      restarts: recorder.counter('peter_sslers_worker_restarts_total'),
      reloads: recorder.counter('peter_sslers_reloads_total'),
      lastReload: recorder.gauge('peter_sslers_last_reload_seconds'),
    };
  }

  evicted(): void {
    this.#series.evictions.inc();
  }

  onPemCache(result: 'fresh' | 'retained' | 'miss'): void {
    this.#series.lookups.with({ result }).inc();
  }

  onNegativeHit(kind: 'absent' | 'error'): void {
    this.#series.negative.with({ kind }).inc();
  }

  onStale(cause: StaleCause): void {
    this.#series.stale.with({ cause }).inc();
  }

  onLookup(source: string, outcome: LookupOutcome, tookMs: number): void {
    this.#series.sources.with({ source, outcome }).observe(tookMs / MS_PER_S);
  }

  onOrder(result: OrderResult, tookMs: number): void {
    this.#series.orders.with({ result }).inc();
    this.#series.orderSeconds.observe(tookMs / MS_PER_S);
  }

  workerLost(cause: 'died' | 'hung'): void {
    this.#series.restarts.with({ cause }).inc();
  }

  reloaded(result: 'ok' | 'failed'): void {
    this.#series.reloads.with({ result }).inc();
    this.#series.lastReload.with({ result }).set(Math.round(Date.now() / MS_PER_S));
  }
}
