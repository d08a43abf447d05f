/**
 * What is looked at, once a second, in place of being counted where it happens.
 */
import type { Recorder } from '../metrics/recorder.js';
import type { ConnectionLimits } from '../net/connection-limits.js';
import type { BackendCounts } from '../proxy/open-routes.js';

export interface WorkerGaugesParts {
  readonly bus: { readonly inFlight: number };
  readonly certificates: { readonly size: number; readonly negativeSize: number };
  readonly frontend: { readonly backends: BackendCounts; readonly splices: { readonly size: number } };
  readonly limits: Pick<ConnectionLimits, 'open' | 'admitted' | 'refusedOver'>;
}

export class WorkerGauges {
  readonly #parts: WorkerGaugesParts;
  readonly #series;

  constructor(recorder: Recorder, parts: WorkerGaugesParts) {
    this.#parts = parts;
    const refused = recorder.counter('peter_sslers_connections_refused_total');
    const backends = recorder.gauge('peter_sslers_backend_connections');
    this.#series = {
      inFlight: recorder.gauge('peter_sslers_bus_in_flight').with({}),
      entries: recorder.gauge('peter_sslers_lru_entries').with({}),
      negatives: recorder.gauge('peter_sslers_lru_negatives').with({}),
      open: recorder.gauge('peter_sslers_connections_open').with({}),
      accepted: recorder.counter('peter_sslers_connections_accepted_total').with({}),
      tunnels: recorder.gauge('peter_sslers_tunnels_open').with({}),
      busy: backends.with({ state: 'busy' }),
      idle: backends.with({ state: 'idle' }),
      leftOut: recorder.gauge('peter_sslers_backends_left_out').with({}),
      refusedInAll: refused.with({ limit: 'total' }),
      refusedPerClient: refused.with({ limit: 'client' }),
    };
  }

  set(): void {
    const { bus, certificates, frontend, limits } = this.#parts;
    const { busy, idle, leftOut } = frontend.backends;
    const series = this.#series;
    series.inFlight.set(bus.inFlight);
    series.entries.set(certificates.size);
    series.negatives.set(certificates.negativeSize);
    series.open.set(limits.open);
    series.tunnels.set(frontend.splices.size);
    series.busy.set(busy);
    series.idle.set(idle);
    series.leftOut.set(leftOut);
    series.accepted.raiseTo(limits.admitted);
    series.refusedInAll.raiseTo(limits.refusedOver.maxConnections);
    series.refusedPerClient.raiseTo(limits.refusedOver.maxConnectionsPerClient);
  }
}
