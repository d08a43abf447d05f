/**
 * What somebody may have meant who has typed a name that there is not. PURE.
 */

/** As many mistakes as a name of that length may have: with more, the guess would be another word. */
function mayDiffer(length: number): number {
  return Math.min(3, Math.floor(length / 3));
}

/**
 * The candidate that a word is most like, upper and lower case being alike; undefined where it is like none. Of several that are
 * equally near the first one.
 */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const typed = word.toLowerCase();
  let best: string | undefined;
  let least = Infinity;
  for (const candidate of candidates) {
    const limit = Math.min(mayDiffer(Math.max(typed.length, candidate.length)), least - 1);
    // Letters that are missing or too many are a mistake each: this also bounds what a very long word costs.
    if (Math.abs(typed.length - candidate.length) > limit) continue;
    const mistakes = distance(typed, candidate.toLowerCase());
    if (mistakes > limit) continue;
    best = candidate;
    least = mistakes;
  }
  return best;
}

/** `: did you mean start?` for the end of a sentence; empty where the word is like no candidate. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const guess = nearest(word, candidates);
  return guess === undefined ? '' : `: did you mean ${guess}?`;
}

/**
 * How many letters have to be put in, left out, replaced, or swapped with their neighbour (Damerau-Levenshtein, in the form that
 * changes no part twice: "optimal string alignment").
 */
export function distance(a: string, b: string): number {
  // Rows of the table of distances between beginnings of both; of one row, two above are needed for swaps.
  let above: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, replaced);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, (above[j - 2] ?? 0) + 1);
      }
      next.push(least);
    }
    above = row;
    row = next;
  }
  return row[b.length] ?? 0;
}
