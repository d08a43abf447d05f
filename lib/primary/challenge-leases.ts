/**
 * Leases for challenges at the manager, for all workers of this machine: each lease allows one request to it.
 *
 * The manager has few threads, and anybody may ask for challenges. So a few leases are out at once, and clients take turns, one
 * lease each; the last one never goes to a client that has all others. A request that waits too long, or finds the queue full, is
 * refused. All addresses of an IPv6 /64 count as one client.
 */
import { CHALLENGE_WAIT_MS } from '../bus/messages.js';
import { ClientTurns } from '../base/client-turns.js';
import { Counts } from '../base/counts.js';
import type { StartTimer } from '../base/timer.js';
import { clientGroup } from '../net/ip-bytes.js';

/** What identifies a lease: its worker, and that worker's own number for it. */
export interface LeaseKey {
  readonly owner: number;
  readonly id: number;
}

export interface LeaseLimits {
  /** Leases out at once. */
  readonly atOnce: number;
  /** The same of one client. */
  readonly atOncePerClient: number;
  readonly maxWaiting: number;
  readonly maxWaitingPerClient: number;
  /** How long one waits. */
  readonly waitMs: number;
  /** After this a lease counts as released: its challenge had to end long before. */
  readonly holdMs: number;
}

/** At a quick manager's ten milliseconds a challenge the whole queue is served within a second. */
const LIMITS: LeaseLimits = {
  atOnce: 4,
  atOncePerClient: 3,
  maxWaiting: 256,
  maxWaitingPerClient: 32,
  waitMs: CHALLENGE_WAIT_MS,
  holdMs: 10_000,
};

/** As `leaseChallenge` answers. */
export interface LeaseVerdict {
  readonly refusal?: string;
}

interface Entry extends LeaseKey {
  readonly client: string;
  readonly settle: (verdict: LeaseVerdict) => void;
  isGranted: boolean;
  cancelTimer: () => void;
}

export class ChallengeLeases {
  readonly #limits: LeaseLimits;
  readonly #startTimer: StartTimer;
  /** Those that are out, and those that wait. */
  readonly #entries = new Map<string, Entry>();
  readonly #turns = new ClientTurns<Entry>();
  /** How many are out, of each client. */
  readonly #out = new Counts();

  constructor({ startTimer, limits = LIMITS }: { startTimer: StartTimer; limits?: LeaseLimits }) {
    this.#limits = limits;
    this.#startTimer = startTimer;
  }

  /** Leases that are out. */
  get out(): number {
    return this.#out.total;
  }

  /** Waits for a lease. Never rejects; settles within `waitMs`. Only one that is not refused is to be released. */
  lease(key: LeaseKey, address: string): Promise<LeaseVerdict> {
    const client = clientGroup(address);
    const { maxWaiting, maxWaitingPerClient, waitMs } = this.#limits;
    const wouldWait = !this.#mayHave(client) || this.#turns.of(client) > 0;
    if (wouldWait && this.#turns.size >= maxWaiting) {
      return Promise.resolve({ refusal: `${maxWaiting} challenges are waiting already` });
    }
    if (wouldWait && this.#turns.of(client) >= maxWaitingPerClient) {
      return Promise.resolve({
        refusal: `${maxWaitingPerClient} challenges of this client are waiting already`,
      });
    }
    return new Promise((settle) => {
      const entry: Entry = { ...key, client, settle, isGranted: false, cancelTimer: () => undefined };
      this.#entries.set(textOf(key), entry);
      this.#turns.add(client, entry);
      entry.cancelTimer = this.#startTimer(
        () => this.#drop(entry, `no turn came within ${waitMs / 1000} s`),
        waitMs,
      );
      this.#serve();
    });
  }

  /** Gives a lease back, or stops waiting for it. An unknown key is ignored. */
  release(key: LeaseKey): void {
    const entry = this.#entries.get(textOf(key));
    if (entry !== undefined) this.#drop(entry, 'nobody waits for it any more');
  }

  /** Releases all leases of an owner that has ended. */
  releaseAll(owner: number): void {
    const own = [...this.#entries.values()].filter((entry) => entry.owner === owner);
    // First those that wait, so that none of them is granted.
    for (const isGranted of [false, true]) {
      for (const entry of own) if (entry.isGranted === isGranted) this.#drop(entry, 'its worker has ended');
    }
  }

  #drop(entry: Entry, refusal: string): void {
    entry.cancelTimer();
    this.#entries.delete(textOf(entry));
    if (entry.isGranted) {
      this.#out.change(entry.client, -1);
      this.#serve();
    } else {
      this.#turns.remove(entry.client, entry);
      entry.settle({ refusal });
    }
  }

  #mayHave(client: string): boolean {
    return this.out < this.#limits.atOnce && this.#hasShare(client);
  }

  readonly #hasShare = (client: string): boolean => this.#out.of(client) < this.#limits.atOncePerClient;

  #serve(): void {
    while (this.out < this.#limits.atOnce) {
      const entry = this.#turns.next(this.#hasShare);
      if (entry === undefined) return;
      entry.isGranted = true;
      this.#out.change(entry.client, 1);
      entry.cancelTimer();
      entry.cancelTimer = this.#startTimer(() => this.#drop(entry, ''), this.#limits.holdMs);
      entry.settle({});
    }
  }
}

function textOf({ owner, id }: LeaseKey): string {
  return `${owner} ${id}`;
}
