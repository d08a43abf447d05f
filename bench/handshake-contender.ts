/**
 * A contender whose operations are new connections.
 */
import type { Load } from './load/load.js';
import type { HandshakeOrder, HandshakeReport } from './load/orders.js';
import { CONCURRENCY, type Contender } from './measure.js';
import type { Server } from './servers.js';

export interface HandshakeKind {
  readonly title: string;
  readonly server: Server;
  readonly names: HandshakeOrder['names'];
  readonly resume?: boolean;
  /** @default '/' */
  readonly path?: string;
  /** @default 200 */
  readonly status?: number;
  /** The tier that every operation must be answered by. */
  readonly tier?: string;
}

export function handshakeContender(load: Load, kind: HandshakeKind): Contender {
  const { title, server, names, resume = false, path = '/', status = 200 } = kind;
  let first = 0;
  return {
    title,
    server,
    async perform(operations, isMeasured) {
      const order = { kind: 'handshakes', port: server.port, names, resume, path, status, first } as const;
      first += operations;
      const report = await load.perform({ ...order, operations, concurrency: CONCURRENCY });
      if (isMeasured) check(kind, report, operations);
    },
  };
}

/** A figure counts only if every operation was what it is called. */
function check(
  { title, tier, resume = false }: HandshakeKind,
  report: HandshakeReport,
  operations: number,
): void {
  if (report.reused !== (resume ? operations : 0)) {
    throw new Error(`${title}: ${report.reused} of ${operations} handshakes resumed a session`);
  }
  if (tier !== undefined && report.tiers[tier] !== operations) {
    throw new Error(`${title}: not all of ${operations} by ${tier}: ${JSON.stringify(report.tiers)}`);
  }
}
