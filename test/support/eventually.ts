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
  let trouble: unknown;
  const look = async (): Promise<boolean> => {
    try {
      trouble = undefined;
      return await holds();
    } catch (thrown) {
      trouble = thrown;
      return false;
    }
  };
  await poll(look, Boolean, timeoutMs, () => {
    throw new Error(`time is up while waiting until ${what}`, { cause: trouble });
  });
}

/** Looks again and again until what is looked at is as it should be, and returns it. An error of looking is one. */
export function eventuallySees<T>(
  what: string,
  look: () => T | Promise<T>,
  isRight: (seen: T) => boolean,
): Promise<T> {
  return poll(look, isRight, TIMEOUT_MS, (seen) => {
    throw new Error(`time is up while waiting until ${what}; last seen: ${JSON.stringify(seen)}`);
  });
}

async function poll<T>(
  look: () => T | Promise<T>,
  isRight: (seen: T) => boolean,
  timeoutMs: number,
  fail: (seen: T) => never,
): Promise<T> {
  const endMs = Date.now() + timeoutMs;
  for (;;) {
    const seen = await look();
    if (isRight(seen)) return seen;
    if (Date.now() > endMs) fail(seen);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
