/**
 * When nothing passes any more between two connections: no byte has come from either, and neither takes any of what waits for it.
 *
 * That a byte has come is told. That some is taken is looked for, a few times within the time-out: Node tells only when all of 256 KiB is
 * through, which who takes little at a time does not see to in an hour. Where something waits, that nothing passes may be seen up to a
 * quarter of the time-out late.
 */
import type { ByteStream } from '../../net/client-socket.js';
import { LOOKS, TakeWatch } from '../../net/take-watch.js';

/** One of the two. */
export interface WatchedSide {
  readonly stream: ByteStream;
  /** The connection that carries it, where it is a stream of HTTP/2; else itself. */
  readonly carrier: ByteStream;
  /** What waits in the stream itself beside others of its connection. */
  waitingBytes(): number;
}

export class IdleWatch {
  readonly #sides: readonly TakingSide[];
  readonly #onIdle: () => void;
  readonly #timer: NodeJS.Timeout;
  /** Looks since a byte has come. */
  #quietLooks = 0;

  constructor(sides: readonly WatchedSide[], timeoutMs: number, onIdle: () => void) {
    this.#sides = sides.map((side) => new TakingSide(side));
    this.#onIdle = onIdle;
    this.#timer = setTimeout(lookAt, TakeWatch.everyMs(timeoutMs), this);
  }

  /** A byte has come. */
  note(): void {
    this.#quietLooks = 0;
    this.#timer.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  look(): void {
    const isFirst = this.#quietLooks === 0;
    this.#quietLooks += 1;
    let isTaking = false;
    for (const side of this.#sides) isTaking = side.look(isFirst) || isTaking;
    if (isTaking || this.#quietLooks < LOOKS) this.#timer.refresh();
    else this.#onIdle();
  }
}

function lookAt(watch: IdleWatch): void {
  watch.look();
}

class TakingSide {
  readonly #side: WatchedSide;
  readonly #watch: TakeWatch;
  /** Something has waited at a look since a byte has come. */
  #hasWaited = false;

  constructor(side: WatchedSide) {
    this.#side = side;
    this.#watch = new TakeWatch(side.carrier);
  }

  /** @param isFirst since a byte has come. @returns whether it takes of what waits for it, as far as is known yet. */
  look(isFirst: boolean): boolean {
    const { stream } = this.#side;
    const waitingBytes = this.#side.waitingBytes();
    const isWaiting = waitingBytes > 0 || stream.writableLength > 0;
    this.#hasWaited = isWaiting || (this.#hasWaited && !isFirst);
    const isStill = this.#watch.look(waitingBytes);
    return this.#hasWaited && !isStill;
  }
}
