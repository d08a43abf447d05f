/**
 * The load: a process of its own, so that its CPU time is nobody else's. Told by messages, see `load.ts`.
 */
import { exchanges, forgetConnections } from './exchanges.js';
import { forgetTickets, handshakes } from './handshakes.js';
import type { LoadOrder, LoadReports } from './orders.js';
import { slow } from './slow.js';

async function perform(order: LoadOrder): Promise<LoadReports[LoadOrder['kind']]> {
  switch (order.kind) {
    case 'handshakes':
      return handshakes(order);
    case 'exchanges':
      return exchanges(order);
    case 'slow':
      return slow(order);
    case 'forget':
      forgetTickets();
      await forgetConnections();
      return null;
  }
}

process.on('message', (order: LoadOrder) => {
  perform(order).then(
    (report) => process.send?.({ report }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
