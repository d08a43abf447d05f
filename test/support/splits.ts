/**
 * Ways in which the same bytes may come: what a parser makes of them must not depend on it.
 */

/** So many places are tried in a long text, the first and the last. */
const MAX_PLACES = 400;

/** As a whole, cut in two at every place, and octet by octet. */
export function splits(text: string): string[][] {
  const places = Array.from({ length: Math.max(0, text.length - 1) }, (_, i) => i + 1);
  const tried =
    places.length <= MAX_PLACES
      ? places
      : [...places.slice(0, MAX_PLACES / 2), ...places.slice(-MAX_PLACES / 2)];
  return [[text], ...tried.map((at) => [text.slice(0, at), text.slice(at)]), text.split('')];
}
