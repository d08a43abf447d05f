/**
 * Whether the end of our side of a connection is being said, and has not been yet.
 *
 * libuv resets no connection meanwhile, and for a refused reset Node tells of an error and never of the close.
 */
interface NodeSocket {
  readonly writableEnded: boolean;
  readonly writableFinished: boolean;
  /** What is to go out before the end, in bytes. */
  readonly writableLength: number;
}

/** @param socket one of Node's. */
export function isShuttingDown({ writableEnded, writableFinished, writableLength }: NodeSocket): boolean {
  return writableEnded && !writableFinished && writableLength === 0;
}
