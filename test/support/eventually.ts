/**
 * Waiting for a condition that only looking again can tell.
 */

const LOOK_EVERY_MS = 20;
/** Far above what anything takes on a loaded machine. */
const TIMEOUT_MS = 15_000;

/** Looks again and again until the condition holds; its last error, where there is one, goes into the message. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  timeoutMs = TIMEOUT_MS,
): Promise<void> {
  const endMs = Date.now() + timeoutMs;
  let trouble: unknown;
  for (;;) {
    try {
      trouble = undefined;
      if (await holds()) return;
    } catch (thrown) {
      trouble = thrown;
    }
    if (Date.now() > endMs) throw new Error(`time is up while waiting until ${what}`, { cause: trouble });
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
