/**
 * Waiting for a turn in a queue of our own: for so long, and not longer than somebody wants what comes of it.
 */
import type { StartTimer } from './timer.js';

export interface Patience {
  /** Aborts when nobody wants it any more. */
  readonly signal: AbortSignal;
  readonly maxWaitMs: number;
  readonly startTimer: StartTimer;
}

/** @param wait ends soon after its signal aborts. */
export async function withPatience<T>(
  { signal, maxWaitMs, startTimer }: Patience,
  wait: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const endWait = (): void => controller.abort();
  if (signal.aborted) endWait();
  const cancelTimer = startTimer(endWait, maxWaitMs);
  signal.addEventListener('abort', endWait, { once: true });
  try {
    return await wait(controller.signal);
  } finally {
    cancelTimer();
    signal.removeEventListener('abort', endWait);
  }
}
