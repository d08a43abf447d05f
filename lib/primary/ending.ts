/**
 * An end that may not come: a file system that does not answer holds on to whoever has asked it something, for ever perhaps.
 */
import { startTimer } from '../base/timer.js';

/**
 * Waits for something to end, well or not, so long and no longer. It goes on behind that.
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
