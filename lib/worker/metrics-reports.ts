/**
 * Tells the primary what this worker has counted: once a second where something has changed, and once more before it ends.
 *
 * One report is under way at a time. Where the primary is late, what is counted meanwhile goes with the next one: a report that has
 * been sent is read in the end, however late, and is never sent again. One that the bus did not take goes first the next time.
 */
import { ProxyError } from '../domain/errors.js';
import { startUnrefTimer, type StartTimer } from '../base/timer.js';
import type { MetricsDelta, Recorder } from '../metrics/recorder.js';
import { ProcessSampler } from '../metrics/process-sampler.js';

const INTERVAL_MS = 1_000;
/** What a process costs changes all the time: that alone is told less often. */
const INTERVALS_A_SAMPLE = 5;

export interface MetricsReportsParts {
  readonly recorder: Recorder;
  /** Sets the gauges. */
  poll(this: void): void;
  /** Tells the primary. Rejects where it does not answer in time. */
  tell(this: void, delta: MetricsDelta): Promise<unknown>;
  /** @default a timer that does not keep the process alive */
  readonly startTimer?: StartTimer;
  /** What measures the process. @default that of the machine */
  readonly sampler?: Pick<ProcessSampler, 'sample'>;
}

export class MetricsReports {
  readonly #parts: MetricsReportsParts;
  readonly #sampler: Pick<ProcessSampler, 'sample'>;
  readonly #startTimer: StartTimer;
  #isTelling = false;
  /** A report that the bus did not take. */
  #refused: MetricsDelta | undefined;
  #intervals = 0;

  constructor(parts: MetricsReportsParts) {
    this.#parts = parts;
    this.#sampler = parts.sampler ?? new ProcessSampler(parts.recorder);
    this.#sampler.sample();
    this.#startTimer = parts.startTimer ?? startUnrefTimer;
    this.#wait();
  }

  /** Tells the rest: returns when the primary has all. Never rejects. */
  async finish(): Promise<void> {
    this.#sampler.sample();
    if (this.#refused !== undefined) await this.#tell();
    await this.#tell();
  }

  #wait(): void {
    this.#startTimer(() => {
      this.#intervals += 1;
      if (this.#intervals % INTERVALS_A_SAMPLE === 0) this.#sampler.sample();
      if (!this.#isTelling) void this.#tell();
      this.#wait();
    }, INTERVAL_MS);
  }

  async #tell(): Promise<void> {
    const { recorder, poll, tell } = this.#parts;
    poll();
    const delta = this.#refused ?? recorder.take();
    if (delta === undefined) return;
    this.#refused = undefined;
    this.#isTelling = true;
    // The log tells of a late primary elsewhere.
    await tell(delta).catch((error: unknown) => {
      if (error instanceof ProxyError && error.code === 'ERR_BUS_BUSY') this.#refused = delta;
    });
    this.#isTelling = false;
  }
}
