/** Counters by key. A counter that comes back to 0 is removed. */
export class Counts {
  readonly #counts = new Map<string, number>();
  #total = 0;

  /** The sum of all counters. */
  get total(): number {
    return this.#total;
  }

  of(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  change(key: string, by: 1 | -1): void {
    this.#total += by;
    const count = this.of(key) + by;
    if (count === 0) this.#counts.delete(key);
    else this.#counts.set(key, count);
  }
}
