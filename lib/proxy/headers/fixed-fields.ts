/**
 * Fields that are the same in many messages, as those that this proxy adds to each request of a connection.
 */
import { ownCopy } from '../../base/own-copy.js';

export class FixedFields {
  /** Flat: `[name, value, …]`. */
  readonly list: readonly string[];
  #lines: string | undefined;

  constructor(list: readonly string[]) {
    this.list = list;
  }

  /**
   * Their lines on HTTP/1.1, each with its CRLF: made once, by the first `make` that does not throw.
   *
   * @param make from the list, which it is to look at: nobody else does.
   */
  lines(make: (list: readonly string[]) => string): string {
    this.#lines ??= ownCopy(make(this.list));
    return this.#lines;
  }
}
