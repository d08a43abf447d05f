/**
 * Whoever wants to know how the resolver fares: for the metrics. It is told, and asked nothing.
 */

/** Why a certificate past its cache duration is served on. */
export type StaleCause =
  /** A source could not tell. */
  | 'unavailable'
  /** Every source says that there is none, and `absentGraceMs` is not over. */
  | 'absent-grace'
  /** The sources have not answered yet. */
  | 'refresh-late';

export interface ResolverObserver {
  /** What the PEM cache had of a name that was asked for. */
  onPemCache(state: 'fresh' | 'retained' | 'miss'): void;
  /** What is remembered of a name without a fresh certificate has answered. `error`: nobody could tell. */
  onNegativeHit(kind: 'absent' | 'error'): void;
  onStale(cause: StaleCause): void;
}
