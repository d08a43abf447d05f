/**
 * A bounded queue in front of a single resource, with two lanes: one holder at a time in each lane.
 *
 * The fast lane is for those with nothing against them. Its work goes on beside the slow lane's. In it the last to come is the
 * next: a guesser with many addresses fills it with newcomers, and whoever has waited for long has given up by then (the
 * manager after a second). When the queue is full a newcomer to the fast lane takes the place of who came last in the slow
 * lane, or else of who came first in its own.
 */

/** Waiting in both lanes together. */
const MAX_WAITING = 32;

/** Called with true when the turn has come, with false when the waiter was displaced. */
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
   * @returns a function that gives the turn back; undefined when the queue is full, or a newcomer has displaced this waiter.
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
      // The lane stays taken while the turn is handed on, so that nobody slips in between.
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
