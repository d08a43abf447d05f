/**
 * Leases for challenges, from the primary over the bus.
 *
 * Where the primary does not answer in time this worker has one lease of its own, without a queue: meanwhile other challenges are
 * refused. The manager may then get one challenge from each worker at a time.
 */
import { CHALLENGE_WAIT_MS, type PrimaryToWorker, type WorkerToPrimary } from '../bus/messages.js';
import type { BusEndpoint } from '../bus/endpoint.js';
import { describeError } from '../domain/errors.js';
import type { ServerName } from '../domain/server-name.js';
import type { Logger } from '../log/logger.js';
import type { ChallengeDesk, ChallengeLease } from '../proxy/challenge-forwarding.js';

/** The primary answers by the end of the wait; the rest is for the way over the bus. */
const LEASE_DEADLINE_MS = CHALLENGE_WAIT_MS + 500;
const TELL_DEADLINE_MS = 5_000;

const CLIENT_GONE: ChallengeLease = { refusal: 'the client has gone' };

export type DeskBus = Pick<BusEndpoint<PrimaryToWorker, WorkerToPrimary>, 'call'>;

export class BusChallengeDesk implements ChallengeDesk {
  readonly #bus: DeskBus;
  readonly #log: Logger;
  #nextId = 1;
  #hasOwnLease = true;

  constructor(bus: DeskBus, log: Logger) {
    this.#bus = bus;
    this.#log = log;
  }

  async lease(client: string, signal: AbortSignal): Promise<ChallengeLease> {
    // A function, because the compiler assumes that a property tested before an `await` is unchanged after it.
    const hasGone = (): boolean => signal.aborted;
    if (hasGone()) return CLIENT_GONE;
    const id = this.#nextId++;
    const release = (): void => this.#tell('releaseChallenge', { id });
    signal.addEventListener('abort', release, { once: true });
    try {
      const { refusal } = await this.#bus.call('leaseChallenge', { id, client }, LEASE_DEADLINE_MS);
      if (refusal !== undefined) return { refusal };
      return hasGone() ? CLIENT_GONE : { release };
    } catch (thrown) {
      if (hasGone()) return CLIENT_GONE;
      // Give back a lease that the primary may still grant.
      release();
      return this.#ownLease(thrown);
    } finally {
      signal.removeEventListener('abort', release);
    }
  }

  missed(name: ServerName): void {
    this.#tell('challengeMissed', { name });
  }

  #ownLease(thrown: unknown): ChallengeLease {
    const error = describeError(thrown);
    if (!this.#hasOwnLease) return { refusal: `the primary hands out no leases: ${error}` };
    this.#log.notice('the primary hands out no leases for challenges: one at a time is forwarded', { error });
    this.#hasOwnLease = false;
    return { release: () => (this.#hasOwnLease = true) };
  }

  #tell<Op extends 'releaseChallenge' | 'challengeMissed'>(
    op: Op,
    params: WorkerToPrimary[Op]['params'],
  ): void {
    this.#bus.call(op, params, TELL_DEADLINE_MS).catch((error: unknown) => {
      this.#log.debug('the primary was not told of a challenge', { op, error: describeError(error) });
    });
  }
}
