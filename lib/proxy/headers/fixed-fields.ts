/**
 * Fields that are the same in many messages, as those that this proxy adds to each request of a connection.
 */

export class FixedFields {
  /** Flat: `[name, value, …]`. */
  readonly list: readonly string[];
  #lines: string | undefined;

  constructor(list: readonly string[]) {
    this.list = list;
  }

  /**
   * Their lines on HTTP/1.1, each with its CRLF: made once.
   *
   * @param make from the list; what it throws is thrown, each time.
   */
  lines(make: (list: readonly string[]) => string): string {
    // In one piece: a string that was put together is a tree, which would be walked for each message.
    this.#lines ??= Buffer.from(make(this.list), 'latin1').toString('latin1');
    return this.#lines;
  }
}
