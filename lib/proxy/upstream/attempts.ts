/**
 * The next backend: where a request, an upgrade or a connection of TCP mode goes when a backend has failed it.
 *
 * The sender takes the first backend from the balancer, and calls `next` with each failure: that returns the lease of the next
 * backend, or the status to end with. It also releases the lease of the failed attempt, and logs the failure.
 *
 * | | what has failed                                           | it goes                                  | the backend | else      |
 * |-|-----------------------------------------------------------|------------------------------------------|-------------|-----------|
 * |1| not sent: no connection, by refusal                       | to one backend after the other           | has failed  | 502 (503) |
 * |2| not sent: no connection, by time-out                      | likewise                                 | has failed  | 504 (503) |
 * |3| not sent: the connection was closed before, or an HTTP/2  | to another healthy backend, else once    | is well; at | 502 (503) |
 * | | stream was refused or is behind a GOAWAY                  | more to the same                         | once more   |           |
 * | |                                                           |                                          | has failed  |           |
 * |4| sent, idempotent, without body: the connection was closed | once more: to another healthy backend,   | has failed  | 502 (503) |
 * | | or reset                                                  | else to any, the same one included       |             |           |
 * |5| sent, with a body or not idempotent: the same             | nowhere                                  | has failed* | 502       |
 * |6| sent: out of time                                         | nowhere                                  | has failed  | 504       |
 * |7| sent: the answer is no valid response                     | nowhere                                  | has failed  | 502       |
 * |8| not sent: the request cannot be written                   | nowhere                                  | is well     | 400       |
 * |9| the client has given it up                                | nowhere                                  | is well     | 502       |
 *
 * In 1, where the backend is the route's only one: it is asked again for `--backend-restart-wait`, counted from its first refusal, so
 * that a restart of it costs nobody a 502, and a backend that is down for long costs nobody a wait. In 4, it is asked again after a
 * moment.
 *
 * (503): where there are several backends, and all of them have failed it in a way that excludes them. 503 as well where a route
 * has no backend at all. A status can be told only until a response has begun; until then, too, it may go elsewhere: a response that
 * has begun and is not whole is cut. An interim response (103) is no beginning: the client may get another. A TCP connection has
 * no status: it is closed, and the access log's line of it has 502.
 *
 * On HTTP/1.1 a request with a body is sent when some of that has been: a backend that has the head alone cannot have done what it is asked
 * for, and counts as not asked. In 1 to 3 a body must not have been read. An upgrade has none: what the client sends behind its request
 * waits for the response. A TCP connection comes here only while it has no backend, which is 1 and 2: what follows is between client and
 * backend, but for a backend that goes without a word (`tunnel/first-word.ts`).
 *
 * So a backend sees a request that is not idempotent once at most, and all backends together see an idempotent one twice at
 * most.
 *
 * (*) It is well while some of the body is to come still: a backend that has had enough of an upload closes, mostly with an answer, which
 * may be lost on the way (`net/outlive-writes.ts`). Clients that send too much must not take a route from all others.
 *
 * In 6, nginx asks the next one. Here it does not: the client would wait for two time-outs, the backend may be at work on the
 * request still, and backends that are slow because there is too much to do would get twice as much. In 7 neither does nginx:
 * the next backend runs the same program.
 *
 * | the log           | of a request or an upgrade | of a connection                              |
 * |-------------------|----------------------------|----------------------------------------------|
 * | info: elsewhere   | `request sent again`       | `backend failed, the next one is asked`      |
 * | info: to wait     | `backend refuses connections: waiting for its restart`                    |
 * | err: the end      | `backend failed`           | `backend failed`                             |
 * | info: 8 and 9     | `request given up`         |                                              |
 *
 * All with `backend` and `error`, and the first with `next`.
 */
import { originOf } from '../../domain/errors.js';
import type { LogFields, Logger } from '../../log/logger.js';
import { Balancer, type Lease } from './balancer.js';
import { CODE_OF, type BackendFailure, type UpstreamFailure } from './upstream.js';

/** RFC 9110 §9.2.2. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** How an attempt has failed. */
export interface AttemptFailure {
  readonly kind: UpstreamFailure;
  /** Whether the backend can have seen any of the request. */
  readonly sent: boolean;
  /** For the log. */
  readonly message: string;
  /** The error of the system, where there is one. */
  readonly cause?: unknown;
}

/** What decides whether a request may be sent again. */
export interface AttemptedRequest {
  readonly method: string;
  readonly hasBody: boolean;
  /** Some of its body has been read, and is gone. */
  readonly isBodyRead: boolean;
  /** Some of its body is to come still, or to be taken. */
  readonly isUploading: boolean;
  /** The client has the head of a response. */
  readonly hasResponse: boolean;
}

/** The status of a request that is not sent again. */
export type EndStatus = 400 | 502 | 503 | 504;

/** What is to be done now. */
export type Step<Target> =
  | { readonly kind: 'send'; readonly lease: Lease<Target> }
  /** The same, but then: see `proceed`. */
  | { readonly kind: 'wait'; readonly lease: Lease<Target>; readonly forMs: number }
  | { readonly kind: 'end'; readonly status: EndStatus };

/** A step that is not the end. */
type SendStep<Target> = Exclude<Step<Target>, { readonly kind: 'end' }>;

const STATUS_OF: Readonly<Record<UpstreamFailure, EndStatus>> = {
  connect: 502,
  broken: 502,
  malformed: 502,
  timeout: 504,
  invalid: 400,
  aborted: 502,
};

/**
 * Nobody listens at the address, its unix socket is not there, its name has gone with its container, or it is just going: what a restart
 * looks like.
 */
const REFUSALS = new Set<unknown>(['ECONNREFUSED', 'ENOENT', 'ENOTFOUND', 'ECONNRESET']);
/** Between two questions whether the only backend is there again: at first, and at most. */
const FIRST_WAIT_MS = 25;
const LONGEST_WAIT_MS = 200;

const ELSEWHERE = {
  request: 'request sent again',
  connection: 'backend failed, the next one is asked',
} as const;

/** What this module needs of a backend. */
interface Named {
  /** For the log. */
  readonly name: string;
}

export interface AttemptsOptions<Target extends Named> {
  readonly balancer: Balancer<Target>;
  readonly log: Logger;
  /** What is sent. An upgrade is a request. */
  readonly what: keyof typeof ELSEWHERE;
  /** What the log tells of it. */
  readonly fields: LogFields;
  /** How long the only backend may refuse connections before that is its failure, milliseconds. */
  readonly restartWaitMs: number;
  /** Backends that are not to be asked, whatever happens. Absent: none. */
  readonly unfit?: ReadonlySet<Target> | undefined;
  /** Told of each failure that is a backend's fault, whatever comes of the request. */
  readonly onFailure?: ((kind: BackendFailure) => void) | undefined;
}

/** The course of one request. An exchange makes it at the first failure: most requests have none. */
export class Attempts<Target extends Named> {
  readonly #options: AttemptsOptions<Target>;
  /** Backends that have failed the request: asked again only where no other one is healthy. */
  readonly #failed: Set<Target>;
  /** Backends that are not asked again. */
  readonly #excluded: Set<Target>;
  /** The request has been sent and lost with its connection: it may be sent once more, and is not a third time. */
  #wasLost = false;
  /** How often it has waited for the restart of its backend. */
  #waits = 0;
  #waiting: NodeJS.Timeout | undefined;

  constructor(options: AttemptsOptions<Target>) {
    this.#options = options;
    this.#failed = new Set(options.unfit);
    this.#excluded = new Set(options.unfit);
  }

  /** Takes the first backend. */
  first(): Step<Target> {
    const lease = this.#options.balancer.take(this.#excluded);
    if (lease !== undefined) return { kind: 'send', lease };
    return this.#end(undefined, 'no backend can be asked', 503);
  }

  /**
   * Releases the lease of an attempt that has failed, and takes one for the next attempt where there is to be one.
   */
  next(lease: Lease<Target>, failure: AttemptFailure, request: AttemptedRequest): Step<Target> {
    const { target } = lease;
    const next = this.#take(lease, failure, request);
    const { kind, message } = failure;
    // A connection that is closed before anything is sent on it is no failure.
    if (isBackendsFault(kind) && (failure.sent || kind !== 'broken')) this.#options.onFailure?.(kind);
    if (next === undefined && this.#mayRestart(target, failure, request)) return this.#wait(target, message);
    const { log, what, fields, restartWaitMs } = this.#options;
    if (next === undefined && !isBackendsFault(kind)) {
      lease.release('aborted');
      log.info('request given up', { ...fields, backend: target.name, error: message });
      return { kind: 'end', status: STATUS_OF[kind] };
    }
    if (next === undefined) {
      if (kind === 'broken' && request.isUploading) lease.release('aborted');
      else lease.release('failed', message);
      return this.#end(target, message, this.#isNoneLeft ? 503 : STATUS_OF[kind]);
    }
    log.info(ELSEWHERE[what], {
      ...fields,
      backend: target.name,
      next: next.target.name,
      error: message,
    });
    // A process that is killed takes connections until the last moment, and loses them.
    const isPerhapsGoing = failure.sent && this.#fitCount === 1 && restartWaitMs > 0;
    return isPerhapsGoing
      ? { kind: 'wait', lease: next, forMs: FIRST_WAIT_MS }
      : { kind: 'send', lease: next };
  }

  /** Sends as a step says: at once, or when the backend may be there again, unless `stopWaiting` is called before. */
  proceed(step: SendStep<Target>, send: (lease: Lease<Target>) => void): void {
    if (step.kind === 'send') send(step.lease);
    else this.#waiting = setTimeout(send, step.forMs, step.lease);
  }

  /** The request is given up. The lease of the step that was waited with is to be released by whoever has it. */
  stopWaiting(): void {
    clearTimeout(this.#waiting);
  }

  /** How many backends may be asked at all. */
  get #fitCount(): number {
    const { balancer, unfit } = this.#options;
    return balancer.targets.length - (unfit?.size ?? 0);
  }

  /** There are several backends, and each has failed the request in a way that excludes it. */
  get #isNoneLeft(): boolean {
    const { size } = this.#excluded;
    return this.#fitCount > 1 && size === this.#options.balancer.targets.length;
  }

  #take(
    lease: Lease<Target>,
    { kind, sent, message }: AttemptFailure,
    { method, hasBody, isBodyRead, hasResponse }: AttemptedRequest,
  ): Lease<Target> | undefined {
    const isConnectionLost = kind === 'broken';
    if (hasResponse || (!isConnectionLost && kind !== 'connect' && kind !== 'timeout')) return undefined;
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
    lease.release(isConnectionLost && !sent && !isAgain ? 'aborted' : 'failed', message);
    const { balancer } = this.#options;
    return balancer.takeHealthy(this.#failed) ?? balancer.take(this.#excluded);
  }

  /** Whether the backend may be at a restart that is worth waiting for. */
  #mayRestart(target: Target, { kind, sent, cause }: AttemptFailure, request: AttemptedRequest): boolean {
    if (kind !== 'connect' || sent || request.isBodyRead || request.hasResponse || !isRefusal(cause))
      return false;
    const { balancer, restartWaitMs } = this.#options;
    return this.#fitCount === 1 && balancer.failingForMs(target) < restartWaitMs;
  }

  #wait(target: Target, error: string): Step<Target> {
    const { balancer, log, fields, unfit } = this.#options;
    const lease = balancer.take(unfit);
    if (lease === undefined) return this.#end(target, error, 503);
    if (this.#waits === 0) {
      log.info('backend refuses connections: waiting for its restart', {
        ...fields,
        backend: target.name,
        error,
      });
    }
    const forMs = Math.min(FIRST_WAIT_MS * 2 ** this.#waits, LONGEST_WAIT_MS);
    this.#waits += 1;
    return { kind: 'wait', lease, forMs };
  }

  #end(target: Target | undefined, error: string, status: EndStatus): Step<Target> {
    const { log, fields } = this.#options;
    log.err('backend failed', { ...fields, backend: target?.name, error });
    return { kind: 'end', status };
  }
}

/** Whether an error, or what has caused it, is one of those. */
function isRefusal(error: unknown): boolean {
  // On HTTP/2 the error of the connection is the cause of the stream's.
  for (let one = error; one instanceof Error; one = one.cause) {
    if ('code' in one && REFUSALS.has(one.code)) return true;
  }
  return false;
}

function isBackendsFault(kind: UpstreamFailure): kind is BackendFailure {
  return originOf(CODE_OF[kind]) === 'backend';
}

/** A balancer whose log tells which backends are left out. */
export function watchedBalancer<Target extends Named>(
  targets: readonly Target[],
  log: Logger,
): Balancer<Target> {
  return new Balancer({
    targets,
    now: () => performance.now(),
    onChange: ({ name }, state) =>
      log.notice(state === 'out' ? 'backend left out' : 'backend used again', { backend: name }),
  });
}
