/**
 * Interleaved rounds: every contender once a round, in turn, so that what slows the machine for a while slows all of them.
 */
import { LoadError } from './load/load-error.js';
import type { BenchOptions } from './options.js';
import { cpuMicroseconds } from './processes.js';
import type { Server } from './servers.js';
import { median, quartiles } from './statistics.js';

export interface Contender {
  readonly title: string;
  readonly server: Server;
  /** It is as fast at first as later: warmed up by a single round. */
  readonly isCompiled?: boolean;
  /** Puts load on the server. @throws LoadError when an operation failed, or a measured one was not what it is called. */
  perform(operations: number, isMeasured: boolean): Promise<void>;
}

export interface Figure {
  readonly title: string;
  /** CPU microseconds of all server processes per operation, a round each. */
  readonly costs: readonly number[];
  readonly median: number;
  readonly quartiles: readonly [number, number];
}

/** There is no figure where a single operation was not what it is called. */
export interface Disqualification {
  readonly title: string;
  readonly reason: string;
}

export type Result = Figure | Disqualification;

/** Operations under way at once, where an operation does not say otherwise. */
export const CONCURRENCY = 4;

/** How much is measured: `operations` in each round, `warmUp` before the first one. */
export type Extent = Pick<BenchOptions, 'rounds' | 'operations' | 'warmUp'>;

/** @throws LoadError when a contender is disqualified. */
export async function compare(contenders: readonly Contender[], extent: Extent): Promise<Figure[]> {
  const results = await measureAll(contenders, extent);
  return results.map((result) => {
    if ('reason' in result) throw new LoadError(`${result.title}: ${result.reason}`);
    return result;
  });
}

/** Who is disqualified takes no part in the rest. */
export async function measureAll(
  contenders: readonly Contender[],
  { rounds, operations, warmUp }: Extent,
): Promise<Result[]> {
  const costs = new Map<Contender, number[]>(contenders.map((contender) => [contender, []]));
  const reasons = new Map<Contender, string>();
  const attempt = async (contender: Contender, run: () => Promise<void>): Promise<void> => {
    if (reasons.has(contender)) return;
    try {
      await run();
    } catch (error) {
      if (!(error instanceof LoadError)) throw error;
      reasons.set(contender, error.message);
    }
  };
  // In turns too: V8 drops the machine code of a process that has been idle for a while.
  for (let done = 0; done < warmUp; done += operations) {
    for (const contender of contenders) {
      if (done > 0 && contender.isCompiled === true) continue;
      const some = Math.min(operations, warmUp - done);
      await attempt(contender, () => contender.perform(some, false));
    }
  }
  for (let round = 0; round < rounds; round++) {
    // A B C, C B A: none always comes after the same other one.
    for (const contender of round % 2 === 0 ? contenders : [...contenders].reverse()) {
      const { pids } = contender.server;
      await attempt(contender, async () => {
        const before = await cpuMicroseconds(pids);
        await contender.perform(operations, true);
        const after = await cpuMicroseconds(pids);
        costs.get(contender)?.push((after - before) / operations);
      });
    }
  }
  return contenders.map((contender) => {
    const { title } = contender;
    const reason = reasons.get(contender);
    if (reason !== undefined) return { title, reason };
    const own = costs.get(contender) ?? [];
    return { title, costs: own, median: median(own), quartiles: quartiles(own) };
  });
}

/** The median of the rounds' ratios to another one: what both share cancels out. */
export function ratioOf(figure: Figure, base: Figure): number {
  return median(figure.costs.map((cost, round) => cost / (base.costs[round] ?? NaN)));
}
