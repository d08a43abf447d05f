/**
 * Waiting for something that may never end: a file system that does not answer may block whoever has asked it for ever.
 */
import { within } from '../base/within.js';

/**
 * Waits for something to end, well or not, for a limited time. It goes on after that.
 *
 * @returns whether it has ended in time.
 */
export function endsWithin(limitMs: number, work: Promise<unknown>): Promise<boolean> {
  const ended = Promise.allSettled([work]).then(() => true);
  return within(ended, () => false, limitMs);
}
