/**
 * Whether a request may be served on the connection that it came on. PURE.
 *
 * A connection is made for one name. A request on it for another name is served where the connection's certificate covers that
 * name too (browsers reuse connections in this way, RFC 9113 §9.1.1); else it is misdirected: 421. On a connection without a server
 * name every host is served.
 */
import type { UnknownNamePolicy } from '../../config/settings.js';
import type { Host } from '../../domain/host.js';
import { TIER_DEFAULT } from '../../domain/lookup.js';
import type { ConnectionInfo } from '../../net/connection-info.js';

export type NameVerdict =
  | 'serve'
  /** The request is for another name than the connection's certificate. */
  | 'misdirected'
  /** No certificate was found for the connection's name, and the policy is not to serve such names. */
  | 'unknown';

export function judgeName(
  connection: Pick<ConnectionInfo, 'scheme' | 'serverName' | 'tier'>,
  host: Host | undefined,
  policy: UnknownNamePolicy,
  certificate: { covers(host: Host): boolean },
): NameVerdict {
  if (connection.scheme === 'http') return 'serve';
  if (policy !== 'serve' && connection.tier === TIER_DEFAULT) return 'unknown';
  if (connection.serverName === undefined || host === undefined) return 'serve';
  return host.name === connection.serverName || certificate.covers(host) ? 'serve' : 'misdirected';
}
