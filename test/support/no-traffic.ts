import type { TrafficStatus } from '../../lib/domain/status-report.js';

/** What a status says of traffic where there was none. */
export const NO_TRAFFIC: TrafficStatus = {
  handshakes: {},
  resumed: 0,
  failed: {},
  defaults: {},
  stale: {},
  lru: {},
  pem: {},
  evictions: { lru: 0, pem: 0 },
  sources: {},
  orders: {},
  ordersHeldOff: 0,
  requests: {},
  connectionsOpen: 0,
  tunnelsOpen: 0,
  backendFailures: {},
  backendsLeftOut: 0,
};
