import type { Faults } from './orders.js';

/**
 * Performs operations, so many at once: a lane takes the next number as soon as it is done with one. What fails is counted, and the
 * rest goes on.
 */
export async function inLanes(
  { operations, concurrency }: { readonly operations: number; readonly concurrency: number },
  operate: (index: number, lane: number) => Promise<void>,
): Promise<Pick<Faults, 'failures' | 'firstFailure'>> {
  let next = 0;
  let failures = 0;
  let firstFailure: string | undefined;
  const run = async (lane: number): Promise<void> => {
    while (next < operations) {
      try {
        await operate(next++, lane);
      } catch (error) {
        failures++;
        firstFailure ??= String(error);
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, (_, lane) => run(lane)));
  return { failures, firstFailure };
}
