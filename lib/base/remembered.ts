/**
 * What was worked out for a text, for when the same text comes again: as the names of fields do, which are few and come with every
 * message.
 *
 * Others may send any number of texts: all are forgotten when there are too many, and long ones are not kept.
 */

const MAX_TEXTS = 512;
const MAX_LENGTH = 64;

export class Remembered<Value extends string | boolean | null> {
  readonly #make: (text: string) => Value;
  readonly #known = new Map<string, Value>();

  /** @param make always the same for the same text. */
  constructor(make: (text: string) => Value) {
    this.#make = make;
  }

  of(text: string): Value {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const value = this.#make(text);
    if (text.length > MAX_LENGTH) return value;
    if (this.#known.size >= MAX_TEXTS) this.#known.clear();
    this.#known.set(text, value);
    return value;
  }
}
