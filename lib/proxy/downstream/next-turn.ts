/**
 * Puts things off until what has been read in this turn of the event loop is known, with one immediate for all of them.
 */
export class NextTurn<Item> {
  readonly #run: (item: Item) => void;
  #items: Item[] = [];

  /** @param run called with each item, in their order */
  constructor(run: (item: Item) => void) {
    this.#run = run;
  }

  add(item: Item): void {
    if (this.#items.push(item) === 1) setImmediate(this.#onTurn);
  }

  readonly #onTurn = (): void => {
    const items = this.#items;
    this.#items = [];
    for (const item of items) this.#run(item);
  };
}
