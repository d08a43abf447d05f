/**
 * An LRU cache that takes room as it fills. By its own `max` lru-cache sets aside the room for all entries at once: 1.7 MB and
 * some 20 ms for each 100,000. By a size, each entry counting one, it does not.
 */
import { LRUCache } from 'lru-cache';

/** @param max how many entries it holds at most, a whole number above 0. */
export function growingLru<K extends object | string, V extends object | string | number | boolean>(
  max: number,
  options: { readonly perf?: { now: () => number }; readonly ttlResolution?: number } = {},
): LRUCache<K, V> {
  return new LRUCache<K, V>({ ...options, maxSize: max, sizeCalculation: countOne });
}

/**
 * The same cache where it has that bound already, else one with it: what still fits is in it, in its order of use.
 *
 * @param cache of entries without a time to live of their own.
 */
export function resizedLru<K extends object | string, V extends object | string | number | boolean>(
  cache: LRUCache<K, V>,
  max: number,
): LRUCache<K, V> {
  if (max === cache.maxSize) return cache;
  const resized = growingLru<K, V>(max);
  for (const [key, value] of [...cache.entries()].reverse()) resized.set(key, value);
  return resized;
}

const countOne = (): number => 1;
