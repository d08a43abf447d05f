/**
 * Two clocks, for two questions.
 */
export interface Clock {
  /** For durations and times to live: runs evenly whatever is done to the machine's time. Milliseconds from any origin. */
  now(this: void): number;
  /** For `notBefore` and `notAfter`: the date. Milliseconds since 1970; may step. */
  date(this: void): number;
}

export const systemClock: Clock = { now: () => performance.now(), date: () => Date.now() };
