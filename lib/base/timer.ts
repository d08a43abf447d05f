/** Timers as a parameter, so that tests can pass the time themselves. */

/** Calls back once after `delayMs`, unless the returned function has been called before. */
export type StartTimer = (callback: () => void, delayMs: number) => () => void;

/** A timer that does not keep the process alive. */
export const startUnrefTimer: StartTimer = (callback, delayMs) => {
  const timer = setTimeout(callback, delayMs).unref();
  return () => clearTimeout(timer);
};

/** A timer that keeps the process alive until it fires. */
export const startTimer: StartTimer = (callback, delayMs) => {
  const timer = setTimeout(callback, delayMs);
  return () => clearTimeout(timer);
};
