/**
 * What workers may ask the primary over the bus.
 */
import type { Call } from '../admin/operations.js';
import { systemClock } from '../base/clock.js';
import { startUnrefTimer } from '../base/timer.js';
import type { Handlers } from '../bus/endpoint.js';
import type { WorkerToPrimary } from '../bus/messages.js';
import { ChallengeLeases } from './challenge-leases.js';
import type { OperationHost } from './operation-host.js';

/** Those that `WorkerProcess` does not answer itself. */
export type WorkerHandlers = Omit<Handlers<WorkerToPrimary>, 'hello' | 'ready'>;

export class WorkerRequests {
  readonly #host: OperationHost;
  readonly #operate: (call: Call) => Promise<unknown>;
  /** They outlive a reload, as the challenges do that they are for. */
  readonly #leases = new ChallengeLeases({ startTimer: startUnrefTimer });
  /** Those that have not ended: what one has sent may be read after its end. */
  readonly #workers = new Set<number>();

  constructor(host: OperationHost, operate: (call: Call) => Promise<unknown>) {
    this.#host = host;
    this.#operate = operate;
  }

  /** Answers of a worker, from its fork to its end. */
  handlers(workerId: number): WorkerHandlers {
    const host = this.#host;
    this.#workers.add(workerId);
    return {
      resolve: async (params) => {
        const value = await host.resolver.resolve(params);
        return { value, atMs: systemClock.now() };
      },
      expireAll: (params) => host.expireAll(params),
      expireDomain: ({ name }) => host.expireDomain(name),
      status: () => host.resolver.status(),
      // A worker has found it in the same table.
      operate: (call) => this.#operate(call as Call),
      leaseChallenge: ({ id, client }) =>
        this.#workers.has(workerId)
          ? this.#leases.lease({ owner: workerId, id }, client)
          : { refusal: 'its worker has ended' },
      releaseChallenge: ({ id }) => {
        this.#leases.release({ owner: workerId, id });
        return {};
      },
      metrics: host.metrics.addWorker(workerId),
      challengeMissed: ({ name }) => {
        host.sources.challengeMissed(name);
        return {};
      },
    };
  }

  /** The worker has ended: what it held is free. */
  ended(workerId: number): void {
    this.#workers.delete(workerId);
    this.#leases.releaseAll(workerId);
    this.#host.metrics.removeWorker(workerId);
  }
}
