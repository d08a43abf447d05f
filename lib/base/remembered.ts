/**
 * What was worked out for a text, for when the same text comes again: as the names of fields do, which are few and come with every
 * message.
 *
 * Others may send any number of texts: all are forgotten when there are too many, long ones are not kept, and of those that are nothing is
 * kept that they were part of.
 */
import { ownCopy } from './own-copy.js';

const MAX_TEXTS = 512;
const MAX_LENGTH = 64;

export class Remembered<Value extends string | boolean | object | null> {
  readonly #make: (text: string) => Value;
  readonly #maxTexts: number;
  readonly #known = new Map<string, Value>();

  /**
   * @param make always the same for the same text. What it returns may keep the text that it is given.
   * @param maxTexts @default 512
   */
  constructor(make: (text: string) => Value, maxTexts = MAX_TEXTS) {
    this.#make = make;
    this.#maxTexts = maxTexts;
  }

  /** @param text a character for each octet (latin1). */
  of(text: string): Value {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const own = ownCopy(text);
    const value = this.#make(own);
    if (own.length > MAX_LENGTH) return value;
    if (this.#known.size >= this.#maxTexts) this.#known.clear();
    this.#known.set(own, value);
    return value;
  }
}
