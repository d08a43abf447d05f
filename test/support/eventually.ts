/** Waiting for what announces itself by no event. */
import { readFileSync } from 'node:fs';

const POLL_MS = 10;

/** Looks again and again until something is true; fails after a time that only a hang comes to. */
export async function eventually(
  what: string,
  isTrue: () => boolean | Promise<boolean>,
  timeoutMs = 15_000,
): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!(await isTrue())) {
    if (performance.now() > endMs) throw new Error(`time is up while waiting until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Whether a process is there and has not ended; one that nobody has waited for yet counts as ended. */
export function isRunning(pid: number): boolean {
  try {
    // The state follows the name, which is in brackets and may hold brackets itself.
    return !/^ [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\)/s, ''));
  } catch {
    return false;
  }
}
