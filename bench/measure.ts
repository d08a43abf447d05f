/**
 * Interleaved rounds: every contender once a round, in turn, so that what slows the machine for a while slows all of them.
 */
import type { BenchOptions } from './options.js';
import { cpuMicroseconds } from './processes.js';
import type { Server } from './servers.js';
import { median, quartiles } from './statistics.js';

export interface Contender {
  readonly title: string;
  readonly server: Server;
  /** Puts load on the server. @throws Error when a measured operation was not what it is called. */
  perform(operations: number, isMeasured: boolean): Promise<void>;
}

export interface Figure {
  readonly title: string;
  /** CPU microseconds of all server processes per operation, a round each. */
  readonly costs: readonly number[];
  readonly median: number;
  readonly quartiles: readonly [number, number];
}

/** Operations under way at once, where a row does not say otherwise. */
export const CONCURRENCY = 4;

/** How much is measured: `operations` in each round, `warmUp` before the first one. */
export type Extent = Pick<BenchOptions, 'rounds' | 'operations' | 'warmUp'>;

export async function compare(
  contenders: readonly Contender[],
  { rounds, operations, warmUp }: Extent,
): Promise<Figure[]> {
  const costs = new Map<Contender, number[]>(contenders.map((contender) => [contender, []]));
  // In turns too: V8 drops the machine code of a process that has been idle for a while.
  for (let done = 0; done < warmUp; done += operations) {
    for (const contender of contenders) await contender.perform(Math.min(operations, warmUp - done), false);
  }
  for (let round = 0; round < rounds; round++) {
    // Forwards and backwards by turns: none always comes after the same other one.
    for (const contender of round % 2 === 0 ? contenders : [...contenders].reverse()) {
      const { pids } = contender.server;
      const before = await cpuMicroseconds(pids);
      await contender.perform(operations, true);
      const after = await cpuMicroseconds(pids);
      costs.get(contender)?.push((after - before) / operations);
    }
  }
  return contenders.map((contender) => {
    const own = costs.get(contender) ?? [];
    return { title: contender.title, costs: own, median: median(own), quartiles: quartiles(own) };
  });
}

/** The median of the rounds' ratios to another one: what both share cancels out. */
export function ratioOf(figure: Figure, base: Figure): number {
  return median(figure.costs.map((cost, round) => cost / (base.costs[round] ?? NaN)));
}
