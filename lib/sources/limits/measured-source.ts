/**
 * A source whose look-ups are measured. Goes inside of a `CircuitBrokenSource`: what is skipped is no look-up.
 */
import type { Lookup } from '../../domain/lookup.js';
import type { ServerName } from '../../domain/server-name.js';
import type { CertificateSource, LookupContext } from '../source.js';
import { WrappedSource } from './wrapped-source.js';

export type LookupOutcome = Lookup['kind'];

export interface MeasuredSourceOptions {
  /** Milliseconds from any origin. */
  readonly now: () => number;
  onLookup(this: void, source: string, outcome: LookupOutcome, tookMs: number): void;
}

export class MeasuredSource extends WrappedSource {
  readonly #options: MeasuredSourceOptions;

  constructor(inner: CertificateSource, options: MeasuredSourceOptions) {
    super(inner);
    this.#options = options;
  }

  override async lookup(name: ServerName, context: LookupContext): Promise<Lookup> {
    const { now, onLookup } = this.#options;
    const startedMs = now();
    // Also of one that rejects, against its contract.
    let outcome: LookupOutcome = 'unavailable';
    try {
      const lookup = await this.inner.lookup(name, context);
      outcome = lookup.kind;
      return lookup;
    } finally {
      onLookup(this.name, outcome, now() - startedMs);
    }
  }
}
