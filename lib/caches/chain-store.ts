/**
 * The intermediates of certificate chains, each text kept once however many certificates share it.
 *
 * Tens of thousands of certificates come from a handful of authorities: their chains are the same few texts over and
 * over. Every `intern` must be matched by one `release`; the last one lets the text go.
 */

/** What a text costs beside its characters: the map's slot and the record. An estimate. */
const OVERHEAD_BYTES = 128;

export class ChainStore {
  readonly #records = new Map<string, { readonly pem: string; users: number }>();
  #bytes = 0;

  /** The size of all texts, each counted once, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many different texts are kept. */
  get size(): number {
    return this.#records.size;
  }

  /** What a text costs when it is kept, in bytes. The empty text costs nothing. */
  static costOf(pem: string): number {
    return pem === '' ? 0 : pem.length + OVERHEAD_BYTES;
  }

  /** Takes a share in a text and returns the one copy of it that is kept. */
  intern(pem: string): string {
    if (pem === '') return pem;
    let record = this.#records.get(pem);
    if (record === undefined) {
      const own = flatCopy(pem);
      record = { pem: own, users: 0 };
      this.#records.set(own, record);
      this.#bytes += ChainStore.costOf(own);
    }
    record.users += 1;
    return record.pem;
  }

  /** Gives a share back. */
  release(pem: string): void {
    const record = this.#records.get(pem);
    if (record === undefined) return;
    record.users -= 1;
    if (record.users > 0) return;
    this.#records.delete(pem);
    this.#bytes -= ChainStore.costOf(pem);
  }
}

/**
 * A copy of a text that keeps no other text alive. In V8 a slice is a view that holds on to the whole of what it was cut
 * from, so that keeping a slice saves nothing.
 */
export function flatCopy(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}
