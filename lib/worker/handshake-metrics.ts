/**
 * Counts handshakes, and what the worker's LRU and the primary have done for them.
 */
import type { Resolution, ResolveRequest, Told } from '../domain/lookup.js';
import type { Recorder } from '../metrics/recorder.js';
import type { TlsClientSocket } from '../net/client-socket.js';
import type { ConnectionInfo } from '../net/connection-info.js';
import type { FailedHandshake } from '../tls/failed-handshake.js';
import type { LruObserver } from './certificates.js';

const MS_PER_S = 1000;

export class HandshakeMetrics {
  readonly lru: LruObserver;
  readonly #handshakes;
  readonly #defaults;
  readonly #failed;
  readonly #choices;
  readonly #resolves;

  constructor(recorder: Recorder) {
    this.#handshakes = recorder.counter('peter_sslers_handshakes_total');
    this.#defaults = recorder.counter('peter_sslers_defaults_served_total');
    this.#failed = recorder.counter('peter_sslers_handshakes_failed_total');
    this.#choices = recorder.histogram('peter_sslers_certificate_choice_seconds');
    this.#resolves = recorder.histogram('peter_sslers_bus_resolve_seconds').with({});
    const lookups = recorder.counter('peter_sslers_lru_lookups_total');
    const evictions = recorder.counter('peter_sslers_lru_evictions_total').with({});
    const late = recorder.counter('peter_sslers_stale_served_total').with({ cause: 'primary-late' });
    this.lru = {
      onLru: (result) => lookups.with({ result }).inc(),
      onEvict: () => evictions.inc(),
      onPrimaryLate: () => late.inc(),
    };
  }

  secured(socket: TlsClientSocket, { tier = '', keyClass, reason, chooseMs }: ConnectionInfo): void {
    const protocol = socket.getProtocol() ?? '';
    const resumed = socket.isSessionReused() ? 'yes' : 'no';
    this.#handshakes.with({ tier, protocol, key: keyClass ?? '', resumed }).inc();
    if (reason !== undefined) this.#defaults.with({ reason }).inc();
    this.#choices.with({ tier }).observe(chooseMs / MS_PER_S);
  }

  failed({ reason, isSilent }: FailedHandshake): void {
    this.#failed.with({ reason: isSilent ? 'silent' : reason }).inc();
  }

  /** Measures how long the primary takes. */
  async asked(params: ResolveRequest, answer: Promise<Told<Resolution>>): Promise<Told<Resolution>> {
    if (params.phase === 'order') return answer;
    const startedMs = performance.now();
    try {
      return await answer;
    } finally {
      this.#resolves.observe((performance.now() - startedMs) / MS_PER_S);
    }
  }
}
