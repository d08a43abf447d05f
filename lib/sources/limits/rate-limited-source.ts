/**
 * A source that costs something to ask: each look-up takes a token from a bucket that the clients share fairly.
 *
 * With no token left a look-up waits its turn, and is `pending` after `maxWaitMs`, or when its signal aborts before: the
 * source was not asked, so nothing is known of it or of the name, and nothing must be remembered. A look-up that finds a
 * certificate gets its token back: real names are free, however many of them are cold after a restart.
 */
import type { FairTokenBucket } from './token-bucket.js';
import { startUnrefTimer, type StartTimer } from '../../base/timer.js';
import type { SourceInspection } from '../../domain/inspection.js';
import type { Lookup } from '../../domain/lookup.js';
import type { ServerName } from '../../domain/server-name.js';
import { clientGroup } from '../../net/ip-bytes.js';
import type { CertificateSource, LookupContext } from '../source.js';
import { withPatience } from '../../base/patience.js';
import { WrappedSource } from './wrapped-source.js';

export interface RateLimitedSourceOptions {
  /** Is closed with the source. */
  readonly bucket: FairTokenBucket;
  /** How long a look-up may wait for its token. */
  readonly maxWaitMs: number;
  /** @default a timer that does not keep the process alive */
  readonly startTimer?: StartTimer;
}

export class RateLimitedSource extends WrappedSource {
  readonly #bucket: FairTokenBucket;
  readonly #maxWaitMs: number;
  readonly #startTimer: StartTimer;
  #isClosed = false;

  constructor(inner: CertificateSource, { bucket, maxWaitMs, startTimer }: RateLimitedSourceOptions) {
    super(inner);
    this.#bucket = bucket;
    this.#maxWaitMs = maxWaitMs;
    this.#startTimer = startTimer ?? startUnrefTimer;
  }

  override async lookup(name: ServerName, context: LookupContext): Promise<Lookup> {
    if (context.isInspection === true) return this.inner.lookup(name, context);
    if (!(await this.#acquire(context))) {
      return this.#isClosed
        ? { kind: 'unavailable', reason: 'it is closed', scope: 'source' }
        : { kind: 'pending', reason: `the rate of requests to source ${this.name} is at its limit` };
    }
    const result = await this.inner.lookup(name, context);
    if (result.kind === 'found') this.#bucket.refund();
    return result;
  }

  override async inspect(
    name: ServerName,
    options: { readonly signal: AbortSignal },
  ): Promise<SourceInspection> {
    const { left, waiting, ratePerSecond } = this.#bucket;
    return {
      ...(await super.inspect(name, options)),
      budget: { left: Math.floor(left), waiting, perSecond: ratePerSecond },
    };
  }

  override async close(): Promise<void> {
    this.#isClosed = true;
    this.#bucket.close();
    await super.close();
  }

  /** A token within `maxWaitMs` and before the signal aborts; false without. */
  #acquire({ client, signal }: LookupContext): Promise<boolean> {
    const patience = { signal, maxWaitMs: this.#maxWaitMs, startTimer: this.#startTimer };
    // Look-ups without a client (the program's own) share one turn.
    return withPatience(patience, (within) => this.#bucket.acquire(clientGroup(client ?? ''), within));
  }
}
