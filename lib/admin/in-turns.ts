/**
 * Two ways to run a long computation that is written as steps.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Holds the thread until the result is there. */
export function runNow<T>(steps: Iterator<void, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** Lets the event loop turn after each step. */
export async function runInTurns<T>(steps: Iterator<void, T>): Promise<T> {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    await nextTurn();
  }
}
