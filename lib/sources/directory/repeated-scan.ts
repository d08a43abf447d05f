/**
 * When a certificate directory is read again: every few seconds, and at once for whoever asks for it; one scan at a time.
 *
 * Scans take at most an eleventh of a processor, however many certificates there are. This is measured in processor time: a process
 * that was stopped meanwhile, or had to wait, has cost nobody anything, and must not look away for long.
 */
import type { StartTimer } from '../../base/timer.js';

/** Scans rest for this many times the processor time that the last one took. */
const REST_FACTOR = 10;
const MAX_POLL_MS = 60_000;

export interface RepeatedScanOptions {
  /** Reads the directory. Never rejects. */
  readonly scan: () => Promise<void>;
  /** From the end of one scan to the next, at the least, milliseconds. */
  readonly pollMs: number;
  /** The processor time that this process has used, milliseconds. */
  readonly cpuMs: () => number;
  readonly startTimer: StartTimer;
}

export class RepeatedScan {
  readonly #options: RepeatedScanOptions;
  #last: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  #cancelPoll: (() => void) | undefined;
  #isStopped = false;

  constructor(options: RepeatedScanOptions) {
    this.#options = options;
  }

  /** Begins to scan every few seconds. */
  start(): void {
    this.#poll(0);
  }

  /** Whether a scan was asked for that has not begun yet. */
  get isAskedFor(): boolean {
    return this.#next !== undefined;
  }

  /** Scans now. @returns when a scan has ended that began after this call. */
  scanAgain(): Promise<void> {
    // A scan under way may have passed what has changed just now: another one follows it, for all who ask meanwhile.
    this.#next ??= this.#last = this.#last.then(() => {
      this.#next = undefined;
      return this.#options.scan();
    });
    return this.#next;
  }

  /** Stops scanning. @returns when the last scan has ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelPoll?.();
    await this.#last;
  }

  #poll(lastCpuMs: number): void {
    if (this.#isStopped) return;
    const { pollMs, cpuMs, startTimer } = this.#options;
    const delayMs = Math.max(pollMs, Math.min(lastCpuMs * REST_FACTOR, MAX_POLL_MS));
    this.#cancelPoll = startTimer(() => {
      const startMs = cpuMs();
      void this.scanAgain().then(() => this.#poll(cpuMs() - startMs));
    }, delayMs);
  }
}
