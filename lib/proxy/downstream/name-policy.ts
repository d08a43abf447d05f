/**
 * Whether a request may be served on the connection that it came on. PURE.
 *
 * A connection is made for one name. A request on it for another is served where the connection's certificate covers that
 * too (browsers reuse connections so, RFC 9113 §9.1.1), and is misdirected elsewhere: 421. A client that has sent no name
 * has named none to differ from.
 */
import type { UnknownNamePolicy } from '../../config/settings.js';
import type { Host } from '../../domain/host.js';
import { TIER_DEFAULT } from '../../domain/lookup.js';
import type { ConnectionInfo } from '../../net/connection-info.js';

export type NameVerdict =
  | 'serve'
  /** The request is for another name than the connection's certificate. */
  | 'misdirected'
  /** No certificate was found for the connection's name, and such are not served. */
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
