/**
 * A queue in which clients take turns, one item each, whatever the number of their items: a client with a thousand items delays its
 * own only.
 */
export class ClientTurns<Item> {
  /** Oldest first. The order of the clients is that of their turns. Never holds an empty set. */
  readonly #waiting = new Map<string, Set<Item>>();
  #size = 0;

  /** How many items wait. */
  get size(): number {
    return this.#size;
  }

  /** How many items of this client wait. */
  of(client: string): number {
    return this.#waiting.get(client)?.size ?? 0;
  }

  /** How many items would be taken out before a new one of this client. */
  ahead(client: string): number {
    const own = this.of(client);
    let ahead = own;
    for (const [other, items] of this.#waiting) {
      if (other !== client) ahead += Math.min(items.size, own + 1);
    }
    return ahead;
  }

  add(client: string, item: Item): void {
    const items = this.#waiting.get(client);
    if (items === undefined) this.#waiting.set(client, new Set([item]));
    else items.add(item);
    this.#size += 1;
  }

  /**
   * Takes out the item whose turn it is.
   *
   * @param mayHave false: the client is passed over, and keeps its turn. @default everyone may
   */
  next(mayHave: (client: string) => boolean = () => true): Item | undefined {
    for (const [client, items] of this.#waiting) {
      if (!mayHave(client)) continue;
      // This client's next turn comes after those of all the others.
      this.#waiting.delete(client);
      this.#waiting.set(client, items);
      for (const item of items) {
        this.remove(client, item);
        return item;
      }
    }
    return undefined;
  }

  /** Takes out one item, where it waits. */
  remove(client: string, item: Item): void {
    const items = this.#waiting.get(client);
    if (items?.delete(item) !== true) return;
    this.#size -= 1;
    if (items.size === 0) this.#waiting.delete(client);
  }

  /**
   * Takes out the youngest item of the client that has the most, to make room for one of another client.
   *
   * @returns undefined where that client would then have as many as it, or more.
   */
  displaceFor(client: string): Item | undefined {
    let [most, longest] = ['', undefined as Set<Item> | undefined];
    for (const [other, items] of this.#waiting) {
      if (longest === undefined || items.size > longest.size) [most, longest] = [other, items];
    }
    if (longest === undefined || longest.size <= this.of(client) + 1) return undefined;
    const youngest = [...longest].at(-1);
    if (youngest !== undefined) this.remove(most, youngest);
    return youngest;
  }

  /** Takes out all items that a test holds for. */
  removeAll(test: (item: Item) => boolean): Item[] {
    const removed: Item[] = [];
    for (const [client, items] of [...this.#waiting]) {
      for (const item of [...items].filter(test)) {
        this.remove(client, item);
        removed.push(item);
      }
    }
    return removed;
  }
}
