/**
 * What is looked at, once a second, in place of being counted where it happens.
 */
import type { Recorder } from '../metrics/recorder.js';
import type { ConnectionLimits } from '../net/connection-limits.js';

export interface WorkerGaugesParts {
  readonly bus: { readonly inFlight: number };
  readonly certificates: { readonly size: number; readonly negativeSize: number };
  readonly limits: Pick<ConnectionLimits, 'open' | 'admitted' | 'refusedOver'>;
}

export class WorkerGauges {
  readonly #parts: WorkerGaugesParts;
  readonly #series;

  constructor(recorder: Recorder, parts: WorkerGaugesParts) {
    this.#parts = parts;
    const refused = recorder.counter('peter_sslers_connections_refused_total');
    this.#series = {
      inFlight: recorder.gauge('peter_sslers_bus_in_flight').with({}),
      entries: recorder.gauge('peter_sslers_lru_entries').with({}),
      negatives: recorder.gauge('peter_sslers_lru_negatives').with({}),
      open: recorder.gauge('peter_sslers_connections_open').with({}),
      accepted: recorder.counter('peter_sslers_connections_accepted_total').with({}),
      refusedInAll: refused.with({ limit: 'total' }),
      refusedPerClient: refused.with({ limit: 'client' }),
    };
  }

  set(): void {
    const { bus, certificates, limits } = this.#parts;
    const series = this.#series;
    series.inFlight.set(bus.inFlight);
    series.entries.set(certificates.size);
    series.negatives.set(certificates.negativeSize);
    series.open.set(limits.open);
    series.accepted.raiseTo(limits.admitted);
    series.refusedInAll.raiseTo(limits.refusedOver.maxConnections);
    series.refusedPerClient.raiseTo(limits.refusedOver.maxConnectionsPerClient);
  }
}
