/**
 * The bound of what may never answer: a server, a file system.
 */

import { startTimer as startNodeTimer } from './timer.js';

/** How long a check of one thing may take. */
export const LIMIT_MS = 10_000;

/**
 * The result of some work, or of `late` where it takes too long. What it is late with goes on, and its outcome is dropped.
 *
 * @param work rejects as it likes: that is passed on, as is what `late` rejects with.
 */
export async function within<T>(
  work: Promise<T>,
  late: () => T | Promise<T>,
  limitMs = LIMIT_MS,
  startTimer = startNodeTimer,
): Promise<T> {
  let cancelTimer = (): void => undefined;
  const overdue = new Promise<T>((resolve) => {
    cancelTimer = startTimer(() => resolve(late()), limitMs);
  });
  try {
    return await Promise.race([work, overdue]);
  } finally {
    cancelTimer();
  }
}
