/**
 * The last minutes of a few rates, stacked for a chart. PURE.
 */

/** Five minutes, at one a second. */
const MAX_POINTS = 300;

export class History {
  readonly #times: number[] = [];
  readonly #rows: (readonly number[])[] = [];
  readonly #hidden = new Set<number>();

  /** @param values one for each part, the lowest first. */
  add(atMs: number, values: readonly number[]): void {
    // A clock that was set back would make the line go back.
    if (atMs / 1_000 <= (this.#times.at(-1) ?? -Infinity)) this.clear();
    this.#times.push(atMs / 1_000);
    this.#rows.push(values);
    if (this.#times.length > MAX_POINTS) {
      this.#times.shift();
      this.#rows.shift();
    }
  }

  clear(): void {
    this.#times.length = 0;
    this.#rows.length = 0;
  }

  /** Leaves a part out of what is stacked, or takes it in again. @returns whether it is in. */
  toggle(part: number): boolean {
    if (!this.#hidden.delete(part)) this.#hidden.add(part);
    return !this.#hidden.has(part);
  }

  get length(): number {
    return this.#times.length;
  }

  /** The values at a place; without it the newest ones. */
  at(place: number | null | undefined): readonly number[] {
    return this.#rows[place ?? -1] ?? this.#rows.at(-1) ?? [];
  }

  /** Parts that are not 0 all of the time. */
  used(parts: number): boolean[] {
    return Array.from({ length: parts }, (_, part) => this.#rows.some((row) => (row[part] ?? 0) > 0));
  }

  /** Parts that are drawn: not left out, and not 0 all of the time. */
  shown(parts: number): number[] {
    const used = this.used(parts);
    return used.flatMap((isUsed, part) => (isUsed && !this.#hidden.has(part) ? [part] : []));
  }

  /** Times in seconds, then the line of each part: itself and all below it. The topmost is first, so that the others are drawn over it. */
  stacked(parts: readonly number[]): [number[], ...number[][]] {
    const lines = parts.map(() => new Array<number>(this.#rows.length).fill(0));
    this.#rows.forEach((row, place) => {
      let sum = 0;
      parts.forEach((part, i) => {
        sum += row[part] ?? 0;
        const line = lines[parts.length - 1 - i];
        if (line !== undefined) line[place] = sum;
      });
    });
    return [this.#times, ...lines];
  }
}
