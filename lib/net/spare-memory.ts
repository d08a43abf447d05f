/**
 * Memory of one size that is used again and again.
 *
 * New memory would be outside V8's heap, where every 64 MiB of it start a collection of the whole heap.
 */
export class SpareMemory {
  /** Of each piece of it. */
  readonly bytes: number;
  readonly #maxSpareBytes: number;
  readonly #spare: Buffer[] = [];

  /** @param maxSpareBytes how much is kept that nobody has. */
  constructor(bytes: number, maxSpareBytes: number) {
    this.bytes = bytes;
    this.#maxSpareBytes = maxSpareBytes;
  }

  /** Some, with whatever is in it. Who does not give it back leaves it to the collector. */
  take(): Buffer {
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(this.bytes);
  }

  /** @param memory nobody needs it any more. */
  giveBack(memory: Buffer): void {
    if (this.#spare.length * this.bytes < this.#maxSpareBytes) this.#spare.push(memory);
  }
}
