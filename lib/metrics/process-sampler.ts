/**
 * What a process costs: CPU, memory, file descriptors, and how late its event loop is.
 */
import { readdir, readFile } from 'node:fs/promises';
import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks';
import type { Gauge, Recorder } from './recorder.js';

/** How often the event loop is looked at. Its own delay is part of what Node measures. */
const RESOLUTION_MS = 20;
/** The larger value of the last two of these is told: a scrape every half minute misses none. */
const WINDOW_MS = 30_000;
const NS_PER_MS = 1e6;
const MS_PER_S = 1000;
const US_PER_S = 1e6;

export interface ProcessSamplerOptions {
  /** Milliseconds from any origin. @default performance.now */
  readonly now?: () => number;
}

export class ProcessSampler {
  readonly #now: () => number;
  readonly #delays: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  /** What the window before this one came to. */
  #before: readonly number[] = [];
  readonly #gauges;
  #windowSinceMs: number;
  #isCounting = false;

  constructor(recorder: Recorder, { now = () => performance.now() }: ProcessSamplerOptions = {}) {
    this.#now = now;
    this.#windowSinceMs = now();
    const delay = recorder.gauge('peter_sslers_event_loop_delay_seconds');
    const cpu = recorder.counter('peter_sslers_process_cpu_seconds_total');
    this.#gauges = {
      delays: [delay.with({ share: 'p50' }), delay.with({ share: 'p99' }), delay.with({ share: 'max' })],
      user: cpu.with({ mode: 'user' }),
      system: cpu.with({ mode: 'system' }),
      resident: recorder.gauge('peter_sslers_process_resident_memory_bytes').with({}),
      openFds: recorder.gauge('peter_sslers_process_open_fds').with({}),
    };
    recorder
      .gauge('peter_sslers_process_start_time_seconds')
      .with({})
      .set(Math.round(Date.now() / 1000 - process.uptime()));
    void setMaxFds(recorder.gauge('peter_sslers_process_max_fds').with({}));
    this.#delays.enable();
  }

  /** To be called every few seconds. */
  sample(): void {
    const { user, system } = process.cpuUsage();
    this.#gauges.user.raiseTo(user / US_PER_S);
    this.#gauges.system.raiseTo(system / US_PER_S);
    this.#sampleMemory();
    this.#sampleDelays();
    void this.#countFds();
  }

  stop(): void {
    this.#delays.disable();
  }

  /** Node reads it from a file: with all descriptors in use it throws. */
  #sampleMemory(): void {
    try {
      this.#gauges.resident.set(process.memoryUsage.rss());
    } catch {
      // The gauge says what it said before.
    }
  }

  #sampleDelays(): void {
    const delays = this.#delays;
    if (delays.count > 0) {
      const shares = [delays.percentile(50), delays.percentile(99), delays.max].map(lateness);
      this.#gauges.delays.forEach((gauge, i) => gauge.set(Math.max(shares[i] ?? 0, this.#before[i] ?? 0)));
      if (this.#now() - this.#windowSinceMs < WINDOW_MS) return;
      this.#before = shares;
    }
    this.#windowSinceMs = this.#now();
    delays.reset();
  }

  /** Counted by another thread: with ten thousand connections it takes milliseconds. */
  async #countFds(): Promise<void> {
    if (this.#isCounting) return;
    this.#isCounting = true;
    try {
      // One of them is that of the directory.
      this.#gauges.openFds.set((await readdir('/proc/self/fd')).length - 1);
    } catch {
      // Not Linux, or just now none is left: the gauge says what it said before.
    } finally {
      this.#isCounting = false;
    }
  }
}

/** A difference between two timers' times as lateness, in seconds, to the millisecond: a finer one would change, and be sent, all the time. */
function lateness(differenceNs: number): number {
  return Math.max(0, Math.round(differenceNs / NS_PER_MS - RESOLUTION_MS)) / MS_PER_S;
}

async function setMaxFds(gauge: Gauge): Promise<void> {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(await readFile('/proc/self/limits', 'utf8'))?.[1];
    if (soft !== undefined) gauge.set(Number(soft));
  } catch {
    // Not Linux.
  }
}
