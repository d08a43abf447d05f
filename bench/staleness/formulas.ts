/**
 * What the three durations come to, as docs/tuning.md has it. Seconds, and looks a second. PURE.
 */

export interface Durations {
  /** `--cert-cache-duration`. */
  readonly cert: number;
  /** `--lru-cache-duration`. */
  readonly lru: number;
}

/** The longest that an old certificate is served after a change. */
export function worstStaleness({ cert, lru }: Durations): number {
  return cert + lru;
}

/**
 * The share of handshakes that still get the old certificate, some time after a change of names that are asked for all the time.
 *
 * The primary's entry is of any age from 0 to `cert` when the change comes, the worker's of any from 0 to `lru` when the primary's is
 * replaced: the sum of two even distributions.
 */
export function shareOfOld(afterSeconds: number, { cert, lru }: Durations): number {
  const [short, long] = [Math.min(cert, lru), Math.max(cert, lru)];
  const t = afterSeconds;
  if (t <= 0) return 1;
  if (t >= cert + lru) return 0;
  if (t < short) return 1 - t ** 2 / (2 * cert * lru);
  if (t <= long) return 1 - (t - short / 2) / long;
  return (cert + lru - t) ** 2 / (2 * cert * lru);
}

/** Looks a second at Redis, or what source there is, at the most: every name is asked for all the time. */
export function lookUpsPerSecond(names: number, { cert }: Durations): number {
  return names / cert;
}

/** Questions a second from all workers to the primary, at the most: every worker is asked for every name all the time, and keeps it. */
export function questionsPerSecond(names: number, workers: number, { lru }: Durations): number {
  return (names * workers) / lru;
}

/** Bytes of the contexts in all workers, where each has so many. */
export function contextBytes(names: number, workers: number, bytesOfContext: number): number {
  return names * workers * bytesOfContext;
}
