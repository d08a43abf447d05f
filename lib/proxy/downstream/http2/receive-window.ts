/**
 * How much a client may send on a connection before it is told that it may send more. PURE.
 *
 * The window of all streams together is opened again at once, taken or not, lest a backend that takes nothing stop the client's other streams;
 * but not while more is held than a whole window of one stream and a little. Both windows grow with the line (`window-growth.ts`).
 */
import {
  CONNECTION_WINDOW_BYTES,
  GROWN_CONNECTION_WINDOW_BYTES,
  SPARE_BYTES,
  STREAM_WINDOW_BYTES,
  STREAM_WINDOW_LIMIT_BYTES,
} from '../http2-limits.js';
import { WindowGrowth } from '../window-growth.js';

export class ReceiveWindow {
  readonly #growth = new WindowGrowth({
    startBytes: STREAM_WINDOW_BYTES,
    limitBytes: STREAM_WINDOW_LIMIT_BYTES,
  });
  #streamBytes = STREAM_WINDOW_BYTES;
  #connectionBytes = CONNECTION_WINDOW_BYTES;
  #receivedBytes = 0;
  #creditedBytes = 0;
  #heldBytes = 0;
  /** When it was last looked at. */
  #takenBytes = 0;

  /** Of each stream. */
  get streamBytes(): number {
    return this.#streamBytes;
  }

  /** The client took so long to acknowledge our settings. */
  onRoundTrip(durationMs: number): void {
    this.#growth.onRoundTrip(durationMs);
  }

  /** DATA comes. @returns false: it is more than the window of the connection. */
  onData(flowBytes: number): boolean {
    this.#receivedBytes += flowBytes;
    return this.#receivedBytes - this.#creditedBytes <= this.#connectionBytes;
  }

  /** So much more, or less, is held until somebody takes it. */
  onHeld(bytes: number): void {
    this.#heldBytes += bytes;
  }

  /** @returns by how much the window of the connection is to be opened, in bytes; 0: it is not. */
  credit(): number {
    const bytes = this.#receivedBytes - this.#creditedBytes;
    const isShut = this.#heldBytes >= this.#streamBytes + SPARE_BYTES;
    if (bytes < this.#connectionBytes / 4 || isShut) return 0;
    this.#creditedBytes += bytes;
    return bytes;
  }

  /**
   * Looks whether the line carries more.
   *
   * @returns the new window of streams, and by how much that of the connection is to be opened beside it; undefined: it is as it was.
   */
  grow(nowMs: number): { readonly streamBytes: number; readonly moreBytes: number } | undefined {
    if (!this.#growth.isPossible) return undefined;
    const takenBytes = this.#receivedBytes - this.#heldBytes;
    const streamBytes = this.#growth.onTaken(takenBytes - this.#takenBytes, nowMs);
    this.#takenBytes = takenBytes;
    if (streamBytes === undefined) return undefined;
    this.#streamBytes = streamBytes;
    const moreBytes = GROWN_CONNECTION_WINDOW_BYTES - this.#connectionBytes;
    this.#connectionBytes = GROWN_CONNECTION_WINDOW_BYTES;
    return { streamBytes, moreBytes };
  }
}
