/**
 * What the handshakes of a worker are called in the log: `2-1k3` is the 2019th connection of worker 2, in base 36. Workers are numbered by
 * the primary, which gives no number twice: so an id is unique for as long as the primary runs.
 *
 * A handshake keeps its number; the text is made where something is logged, or asked of the primary.
 */
export class HandshakeIds {
  readonly #worker: string;
  #last = 0;

  constructor(workerId: number) {
    this.#worker = workerId.toString(36);
  }

  /** The number of a new handshake. */
  next(): number {
    return ++this.#last;
  }

  /** The id of a handshake. */
  textOf(number: number): string {
    return `${this.#worker}-${number.toString(36)}`;
  }
}
