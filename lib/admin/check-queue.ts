/**
 * Turns at something of which there is one: one at work in each of two lanes, the others waiting in a bounded queue.
 *
 * The fast lane is for those with nothing against them. Its work goes on beside the slow lane's. In it the last to come is the
 * next: a guesser with many addresses fills it with newcomers, and whoever has waited for long has given up by then (the
 * manager after a second). When the queue is full a newcomer to the fast lane takes the place of who came last in the slow
 * lane, or else of who came first in its own.
 */

/** Waiting in both lanes together. */
const MAX_WAITING = 32;

/** Told whether the turn has come. */
type Waiter = (isTurn: boolean) => void;

interface Lane {
  isTaken: boolean;
  /** Oldest first. */
  readonly waiting: Waiter[];
}

export class CheckQueue {
  readonly #fast: Lane = { isTaken: false, waiting: [] };
  readonly #slow: Lane = { isTaken: false, waiting: [] };

  /**
   * Waits for a turn in a lane.
   *
   * @returns what gives the turn back; undefined when there is no place to wait at, or it was taken away.
   */
  async enter(isFast: boolean): Promise<(() => void) | undefined> {
    const lane = isFast ? this.#fast : this.#slow;
    if (lane.isTaken) {
      if (!this.#makeRoom(isFast)) return undefined;
      if (!(await new Promise<boolean>((resolve) => lane.waiting.push(resolve)))) return undefined;
    }
    lane.isTaken = true;
    return () => {
      const next = isFast ? lane.waiting.pop() : lane.waiting.shift();
      // Handed on while it is taken, so that nobody slips in between.
      if (next === undefined) lane.isTaken = false;
      else next(true);
    };
  }

  #makeRoom(isFast: boolean): boolean {
    if (this.#fast.waiting.length + this.#slow.waiting.length < MAX_WAITING) return true;
    const displaced = isFast ? (this.#slow.waiting.pop() ?? this.#fast.waiting.shift()) : undefined;
    displaced?.(false);
    return displaced !== undefined;
  }
}
