/**
 * Strings to keep. PURE.
 */

/** V8 copies parts of strings that are shorter. */
const MIN_PART_LENGTH = 13;

/**
 * The same text in one piece, with memory of its own: a part of a longer string keeps all of that (fields are parts of whole heads), and a text
 * that was put together is a tree, which is walked each time that it is written.
 *
 * @param text a character for each octet (latin1).
 */
export function ownCopy(text: string): string {
  return text.length < MIN_PART_LENGTH ? text : Buffer.from(text, 'latin1').toString('latin1');
}
