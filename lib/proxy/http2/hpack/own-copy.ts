/**
 * Strings to keep. PURE.
 */

/** V8 copies parts of strings that are shorter. */
const MIN_PART_LENGTH = 13;

/**
 * The same text with memory of its own: a part of a longer string keeps all of that, and fields are parts of a backend's whole head.
 *
 * @param text a character for each octet (latin1).
 */
export function ownCopy(text: string): string {
  return text.length < MIN_PART_LENGTH ? text : Buffer.from(text, 'latin1').toString('latin1');
}
