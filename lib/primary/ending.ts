/**
 * Waiting for something that may never end: a file system that does not answer may block whoever has asked it for ever.
 */
import { startTimer } from '../base/timer.js';

/**
 * Waits for something to end, well or not, for a limited time. It goes on after that.
 *
 * @returns whether it has ended in time.
 */
export async function endsWithin(limitMs: number, work: Promise<unknown>): Promise<boolean> {
  let cancel = (): void => undefined;
  const late = new Promise<boolean>((settled) => (cancel = startTimer(() => settled(false), limitMs)));
  try {
    return await Promise.race([Promise.allSettled([work]).then(() => true), late]);
  } finally {
    cancel();
  }
}
