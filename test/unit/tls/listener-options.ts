import { protocolList } from '../../../lib/tls/alpn.js';
import { ConnectionLimits } from '../../../lib/net/connection-limits.js';
import { HandshakeIds } from '../../../lib/tls/handshake-ids.js';
import type { ListenerOptions } from '../../../lib/tls/terminate.js';

/** A listener that anybody may use, HTTP/1.1 behind it. */
export const listenerOptions: Omit<ListenerOptions, 'choose' | 'onSecure' | 'onFailure'> = {
  index: 0,
  ids: new HandshakeIds(1),
  limits: new ConnectionLimits({
    limits: () => ({ maxConnections: 1_000, maxConnectionsPerClient: 1_000 }),
    now: () => performance.now(),
    onRefused: () => undefined,
  }),
  alpnFor: () => protocolList(['http/1.1']),
  choosesByAddress: () => false,
  sendsProxyHeader: () => false,
  rejectsUnknownNames: () => false,
  handshakeTimeoutMs: () => 10_000,
  needsNodeSocket: () => process.env['TEST_HTTP2_ENGINE'] === 'node',
};
