/**
 * Where a request goes after a backend has failed it, by the rules in the doc comment of `exchange.ts`. Made at the first
 * failure: most requests have none.
 */
import type { Balancer, Lease } from './balancer.js';
import type { UpstreamFailure } from './upstream.js';

/** RFC 9110 §9.2.2. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** How an attempt has failed, before the head of a response. */
export interface AttemptFailure {
  readonly kind: UpstreamFailure;
  /** Whether the backend can have seen any of the request. */
  readonly sent: boolean;
}

/** What decides whether a request may be sent again. */
export interface AttemptedRequest {
  readonly method: string;
  readonly hasBody: boolean;
  /** Some of its body has been read, and is gone. */
  readonly isBodyRead: boolean;
}

export class Attempts<Target> {
  readonly #balancer: Balancer<Target>;
  /** Backends that have failed the request: asked again only where no other one is healthy. */
  readonly #failed = new Set<Target>();
  /** Backends that are not asked again. */
  readonly #excluded = new Set<Target>();
  /** The request has been sent and lost with its connection: it may be sent once more, and is not a third time. */
  #wasLost = false;

  constructor(balancer: Balancer<Target>) {
    this.#balancer = balancer;
  }

  /** There are several backends, and each has failed the request in a way that excludes it. */
  get isNoneLeft(): boolean {
    const { size } = this.#excluded;
    return size > 1 && size === this.#balancer.targets.length;
  }

  /**
   * Releases the lease of an attempt that has failed and takes one for the next attempt.
   *
   * @returns undefined where the request is not to be sent again. The failed lease may not have been released then.
   */
  next(
    lease: Lease<Target>,
    { kind, sent }: AttemptFailure,
    { method, hasBody, isBodyRead }: AttemptedRequest,
  ): Lease<Target> | undefined {
    const isConnectionLost = kind === 'broken';
    if (!isConnectionLost && kind !== 'connect' && kind !== 'timeout') return undefined;
    if (sent) {
      if (!isConnectionLost || this.#wasLost || hasBody || !IDEMPOTENT.has(method)) return undefined;
      this.#wasLost = true;
    } else if (isBodyRead) {
      return undefined;
    }
    const { target } = lease;
    const isAgain = this.#failed.has(target);
    if (!isConnectionLost || isAgain) this.#excluded.add(target);
    this.#failed.add(target);
    // A connection that is closed before anything is sent on it, or a stream that is refused, is no failure.
    lease.release(isConnectionLost && !sent && !isAgain ? 'aborted' : 'failed');
    return this.#balancer.takeHealthy(this.#failed) ?? this.#balancer.take(this.#excluded);
  }
}
