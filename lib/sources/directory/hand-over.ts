/**
 * Which pairs of a directory are handed over for a name: all that are valid now, the newest first; where none of them can be
 * loaded, the one that lapses last.
 */
import type { CertificatePair } from '../../domain/certificate.js';
import type { Lookup } from '../../domain/lookup.js';
import { lapsedFirst, validGroups, type Leaf, type Named } from './name-index.js';
import type { Loaded } from './pairs.js';

const MAX_CANDIDATES = 8;

/**
 * Loads the pairs to hand over. Rejects only as `load` does.
 *
 * @param named what is known of the name, and of the wildcard above it.
 * @param load reads the pair of an entry.
 * @param nowMs milliseconds since 1970.
 * @returns undefined where nothing is known of these names but trouble.
 */
export async function handOver(
  named: readonly Named[],
  load: (leaf: Leaf) => Promise<Loaded>,
  nowMs: number,
): Promise<Lookup | undefined> {
  const reasons: string[] = [];
  const loadAll = async (leaves: readonly Leaf[]): Promise<CertificatePair[]> => {
    const loaded = await Promise.all(leaves.map(load));
    return loaded.flatMap((pair) => {
      if (!('reason' in pair)) return [pair];
      reasons.push(pair.reason);
      return [];
    });
  };
  const valid = await Promise.all(validGroups(named, nowMs, MAX_CANDIDATES).map(loadAll));
  let candidates = valid.filter(({ length }) => length > 0);
  if (candidates.length === 0) {
    const lapsed = await Promise.all(named.map((entry) => firstOf(lapsedFirst(entry), loadAll)));
    candidates = lapsed.filter(({ length }) => length > 0);
  }
  if (candidates.length > 0) return { kind: 'found', candidates };
  return reasons[0] === undefined ? undefined : unavailable(reasons[0]);
}

/** Scope `name`, never `source`: a breaker would also skip the names that are still known. */
export function unavailable(reason: string): Lookup {
  return { kind: 'unavailable', reason, scope: 'name' };
}

/** The pairs of the first leaf that has one. */
async function firstOf(
  leaves: readonly Leaf[],
  load: (leaves: readonly Leaf[]) => Promise<CertificatePair[]>,
): Promise<CertificatePair[]> {
  for (const leaf of leaves.slice(0, MAX_CANDIDATES)) {
    const pairs = await load([leaf]);
    if (pairs.length > 0) return pairs;
  }
  return [];
}
