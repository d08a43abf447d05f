/** How long things are kept and waited for in the scenario "truth": seconds, as the program takes them. */
export const DURATIONS = {
  certCache: 2,
  lruCache: 0.5,
  errorCache: 0.3,
  /** Longer than a run: the program sees a name only when somebody visits it, and does not know what was in between. */
  absentGrace: 90,
  lookupTimeout: 1,
  refreshTimeout: 0.1,
  certDirInterval: 0.2,
} as const;
