/**
 * Whether the other end of a connection takes anything of what waits for it.
 *
 * Node tells when all has been taken, which for who takes little at a time is long after the time-out for a piece of it. So somebody
 * looks a few times within the time-out: who has taken some since the last look goes on. That is seen when a time-out is over, or up to
 * a quarter of one later.
 *
 * Of one stream of several even less is to be seen: some of it has been taken when a whole write has, which may be 256 KiB. Until then
 * what is taken of its connection speaks for it: for a few time-outs at most, for it may all be other streams'; for as long as one likes
 * where the connection takes no more than that, since then the stream only waits for its turn.
 */
import type { ByteStream } from './client-socket.js';
import { queuesOf, takenBytesOf } from './send-queues.js';

/** So many within a time-out. */
export const LOOKS = 4;
/** For so many looks the connection speaks for a stream. */
const MAX_BLIND_LOOKS = 4 * LOOKS;

export class TakeWatch {
  readonly #socket: ByteStream;
  /** At the last look. */
  #takenBytes: number | undefined;
  #streamBytes = 0;
  /** Looks since something was taken, at all and of the stream. */
  #stillLooks = 0;
  #blindLooks = 0;

  /** @param socket the connection. */
  constructor(socket: ByteStream) {
    this.#socket = socket;
  }

  /** The time between two looks. */
  static everyMs(timeoutMs: number): number {
    return Math.ceil(timeoutMs / LOOKS);
  }

  /**
   * Looks.
   *
   * @param streamBytes what waits in one of the streams of the connection, which this is about; 0: it is about all of the connection.
   * @returns whether nothing is taken any more.
   */
  look(streamBytes = 0): boolean {
    const takenBytes = takenBytesOf(this.#socket);
    const isSome = takenBytes !== this.#takenBytes;
    const isOfStream = streamBytes !== this.#streamBytes || (isSome && isFull(this.#socket));
    this.#takenBytes = takenBytes;
    this.#streamBytes = streamBytes;
    this.#stillLooks = isSome || isOfStream ? 0 : this.#stillLooks + 1;
    this.#blindLooks = streamBytes === 0 || isOfStream ? 0 : this.#blindLooks + 1;
    return this.#stillLooks >= LOOKS || this.#blindLooks >= MAX_BLIND_LOOKS;
  }
}

/** Whether more waits for a connection than it takes at once. */
function isFull(socket: ByteStream): boolean {
  const queues = queuesOf(socket);
  return queues !== undefined && queues.inTls + queues.inKernel > 0;
}
