/** Timers as a parameter, so that tests can pass the time themselves. */

/** Calls back once after `delayMs`, unless the returned function has been called before. */
export type StartTimer = (callback: () => void, delayMs: number) => () => void;

/** A timer that does not keep the process alive. */
export const startUnrefTimer: StartTimer = (callback, delayMs) => {
  const timer = setTimeout(callback, delayMs).unref();
  return () => clearTimeout(timer);
};
