/**
 * What the workers have told of the backends, for snapshots: these are made once a second and wait for nobody, so each has what was
 * answered last and has the workers asked again. Where no snapshot is made, nobody is asked.
 */
import { worstFirst } from '../domain/backend-order.js';
import type { AskedBackends, BackendsReport } from '../domain/backend-status.js';
import { backendsReport } from './backends.js';

export interface BackendWatchOptions {
  /** Asks every worker. Answers within a second or so, and does not reject. */
  ask(this: void): Promise<readonly AskedBackends[]>;
  /** Milliseconds, from any origin. */
  now(this: void): number;
}

/** Backends in a snapshot: with hundreds of them it stays small. */
const MAX_BACKENDS = 20;
/** What was told longer ago is of a time when nobody looked. */
const OLD_MS = 5_000;

export class BackendWatch {
  readonly #options: BackendWatchOptions;
  #isAsking = false;
  #last: { readonly report: BackendsReport; readonly atMs: number } | undefined;

  constructor(options: BackendWatchOptions) {
    this.#options = options;
  }

  /** @returns what was told last; undefined where that was long ago, or nothing was told yet. */
  look(): BackendsReport | undefined {
    if (!this.#isAsking) void this.#ask();
    if (this.#last === undefined || this.#options.now() - this.#last.atMs > OLD_MS) return undefined;
    return this.#last.report;
  }

  async #ask(): Promise<void> {
    this.#isAsking = true;
    const report = backendsReport(await this.#options.ask());
    const backends = worstFirst(report.backends).slice(0, MAX_BACKENDS);
    this.#last = { report: { ...report, backends }, atMs: this.#options.now() };
    this.#isAsking = false;
  }
}
