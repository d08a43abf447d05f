/**
 * A contender whose operations are new connections.
 */
import { LoadError } from './load/load-error.js';
import type { Load } from './load/load.js';
import type { HandshakeOrder, HandshakeReport } from './load/orders.js';
import { CONCURRENCY, type Contender } from './measure.js';
import type { Server } from './servers.js';

/** Full handshakes of TLS 1.3 and a request that is answered by 200. */
export const FULL = {
  ...{ kind: 'handshakes', path: '/', status: 200 },
  ...{ tls: 'TLSv1.3', tickets: 'none' },
} as const satisfies Partial<HandshakeOrder>;

export interface HandshakeKind
  extends Pick<HandshakeOrder, 'names' | 'certificate'>, Partial<Pick<HandshakeOrder, 'tls' | 'tickets'>> {
  readonly title: string;
  readonly server: Server;
  /** See `Contender`. */
  readonly isCompiled?: boolean;
  /** The tier that every operation must be answered by. */
  readonly tier?: string;
}

export function handshakeContender(load: Load, kind: HandshakeKind): Contender {
  const { title, server, isCompiled = false, tier, ...asked } = kind;
  const order = { ...FULL, ...asked, port: server.port, concurrency: CONCURRENCY };
  let first = 0;
  return {
    ...{ title, server, isCompiled },
    async perform(operations, isMeasured) {
      const report = await load.perform({ ...order, first, operations });
      first += operations;
      if (isMeasured) check(report, operations, order.tickets !== 'none', tier);
    },
  };
}

/** A figure counts only if every operation was what it is called. */
function check(
  report: HandshakeReport,
  operations: number,
  isResumed: boolean,
  tier: string | undefined,
): void {
  if (report.reused !== (isResumed ? operations : 0)) {
    throw new LoadError(`${report.reused} of ${operations} handshakes resumed a session`);
  }
  if (tier !== undefined && report.tiers[tier] !== operations) {
    throw new LoadError(`not all of ${operations} by ${tier}: ${JSON.stringify(report.tiers)}`);
  }
}
