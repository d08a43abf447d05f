/**
 * The metrics of the whole machine: what the workers tell, and what the primary knows itself.
 */
import { VERSION } from '../base/version.js';
import { ProcessSampler } from '../metrics/process-sampler.js';
import { Recorder, type MetricsDelta } from '../metrics/recorder.js';
import { MetricsStore, PRIMARY, type MetricsMember } from '../metrics/store.js';
import { metricsText } from '../metrics/text.js';
import { PrimaryEvents } from './metrics-events.js';
import { PrimaryGauges, type PrimaryGaugesParts } from './primary-gauges.js';

const SAMPLE_INTERVAL_MS = 5_000;

export class PrimaryMetrics {
  readonly recorder = new Recorder();
  readonly events = new PrimaryEvents(this.recorder);
  readonly #store = new MetricsStore();
  readonly #own = this.#store.join(PRIMARY);
  readonly #workers = new Map<number, MetricsMember>();
  readonly #sampler = new ProcessSampler(this.recorder);
  readonly #timer = setInterval(() => this.#sampler.sample(), SAMPLE_INTERVAL_MS).unref();
  #poll: () => void = () => undefined;

  constructor() {
    this.recorder
      .gauge('peter_sslers_build_info')
      .with({ version: VERSION, node: process.version, openssl: process.versions.openssl })
      .set(1);
    this.#sampler.sample();
  }

  /** The numbers as they are now. */
  get store(): MetricsStore {
    this.#poll();
    const delta = this.recorder.take();
    if (delta !== undefined) this.#own.add(delta);
    return this.#store;
  }

  /** For Prometheus: text format 0.0.4, `TEXT_CONTENT_TYPE`. */
  text(): string {
    return metricsText(this.store);
  }

  /** From now on these are looked at whenever the numbers are read. @param now milliseconds from any origin. */
  watch(parts: PrimaryGaugesParts, now = (): number => performance.now()): void {
    const gauges = new PrimaryGauges(this.recorder, parts, now);
    this.#poll = () => gauges.set();
  }

  /** A worker has been forked. @returns what takes its reports, also those that arrive after its end. */
  addWorker(workerId: number): (params: { readonly delta: MetricsDelta }) => Record<string, never> {
    const member = this.#store.join();
    this.#workers.set(workerId, member);
    return ({ delta }) => {
      member.add(delta);
      return {};
    };
  }

  removeWorker(workerId: number): void {
    this.#workers.get(workerId)?.leave();
    this.#workers.delete(workerId);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#sampler.stop();
  }
}
