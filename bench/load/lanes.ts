/** Performs operations, so many at once: a lane takes the next number as soon as it is done with one. */
export async function inLanes(
  { operations, concurrency }: { readonly operations: number; readonly concurrency: number },
  operate: (index: number, lane: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const run = async (lane: number): Promise<void> => {
    while (next < operations) await operate(next++, lane);
  };
  await Promise.all(Array.from({ length: concurrency }, (_, lane) => run(lane)));
}
