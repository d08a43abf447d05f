/**
 * A failure of a source that may be the fault of the one name that was asked for: the source was reached, and hung for it, broke
 * off, or answered with an error. Whether all of the source is sick is told by asking it something else.
 */
import type { Lookup } from '../domain/lookup.js';

type DoubtfulFailure = Extract<Lookup, { kind: 'unavailable' }> & { readonly isDoubtful: true };

/** The same answer, which is doubtful where it blames the source. */
export function doubted(lookup: Lookup): Lookup {
  if (lookup.kind !== 'unavailable' || lookup.scope === 'name') return lookup;
  const failure: DoubtfulFailure = { ...lookup, isDoubtful: true };
  return failure;
}

export function isDoubtful(lookup: Lookup): boolean {
  return 'isDoubtful' in lookup && lookup.isDoubtful === true;
}
