/**
 * Two clocks, for two questions.
 */
export interface Clock {
  /**
   * For durations and times to live: runs evenly whatever is done to the machine's time. Milliseconds from an origin of any kind,
   * the same in all processes of a machine.
   */
  now(this: void): number;
  /** For `notBefore` and `notAfter`: the date. Milliseconds since 1970; may step. */
  date(this: void): number;
}

/** `performance.now` counts from the start of its process, `hrtime` from that of the machine, by the same clock. */
const PROCESS_START_MS = Number(process.hrtime.bigint()) / 1e6 - performance.now();

export const systemClock: Clock = {
  now: () => PROCESS_START_MS + performance.now(),
  date: () => Date.now(),
};
