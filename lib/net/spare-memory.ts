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

/**
 * For the callback of a write: whether what was written has gone out, so that its memory may be used again. Of a stream that is destroyed Node
 * says so at once, on Node 20 without an error, while parts of it may still be on their way: that memory is left to the collector.
 */
export function hasGoneOut(
  stream: { readonly destroyed: boolean },
  error: Error | null | undefined,
): boolean {
  return !stream.destroyed && (error === null || error === undefined);
}
