/**
 * Interleaved rounds: every contender once a round, in turn, so that what slows the machine for a while slows all of them.
 */
import type { BenchOptions } from './options.js';
import type { Load, LoadOrder, LoadReport } from './load.js';
import { cpuMicroseconds } from './processes.js';
import type { Server } from './servers.js';
import { median, quartiles } from './statistics.js';

export interface Contender {
  readonly title: string;
  readonly server: Server;
  readonly names: LoadOrder['names'];
  readonly resume?: boolean;
  /** @default '/' */
  readonly path?: string;
  /** @default 200 */
  readonly status?: number;
  /** The tier that every operation must be answered by. */
  readonly tier?: string;
}

export interface Figure {
  readonly title: string;
  /** CPU microseconds of all server processes per operation, a round each. */
  readonly costs: readonly number[];
  readonly median: number;
  readonly quartiles: readonly [number, number];
  /** The median of the rounds' ratios to the first contender: what both share cancels out. */
  readonly ratio: number;
}

const CONCURRENCY = 4;

export async function compare(
  load: Load,
  contenders: readonly Contender[],
  { rounds, operations, warmUp }: Pick<BenchOptions, 'rounds' | 'operations' | 'warmUp'>,
): Promise<Figure[]> {
  const done = new Map(contenders.map((contender) => [contender, 0]));
  const costs = new Map<Contender, number[]>(contenders.map((contender) => [contender, []]));
  const run = async (contender: Contender, count: number): Promise<LoadReport> => {
    const { server, names, resume = false, path = '/', status = 200 } = contender;
    const first = done.get(contender) ?? 0;
    done.set(contender, first + count);
    return load.perform({
      ...{ port: server.port, names, resume, path, status, first },
      ...{ operations: count, concurrency: CONCURRENCY },
    });
  };
  // In turns too: V8 drops the machine code of a process that has been idle for a while.
  for (let done = 0; done < warmUp; done += operations) {
    for (const contender of contenders) await run(contender, Math.min(operations, warmUp - done));
  }
  for (let round = 0; round < rounds; round++) {
    // Forwards and backwards by turns: none always comes after the same other one.
    for (const contender of round % 2 === 0 ? contenders : [...contenders].reverse()) {
      const { pids } = contender.server;
      const before = await cpuMicroseconds(pids);
      const report = await run(contender, operations);
      const after = await cpuMicroseconds(pids);
      costs.get(contender)?.push((after - before) / operations);
      check(contender, report, operations);
    }
  }
  const base = costs.get(contenders[0] as Contender) ?? [];
  return contenders.map((contender) => {
    const own = costs.get(contender) ?? [];
    return {
      title: contender.title,
      costs: own,
      median: median(own),
      quartiles: quartiles(own),
      ratio: median(own.map((cost, round) => cost / (base[round] ?? NaN))),
    };
  });
}

/** A figure counts only if every operation was what it is called. */
function check({ title, tier, resume = false }: Contender, report: LoadReport, operations: number): void {
  if (report.reused !== (resume ? operations : 0)) {
    throw new Error(`${title}: ${report.reused} of ${operations} handshakes resumed a session`);
  }
  if (tier !== undefined && report.tiers[tier] !== operations) {
    throw new Error(`${title}: not all of ${operations} by ${tier}: ${JSON.stringify(report.tiers)}`);
  }
}
