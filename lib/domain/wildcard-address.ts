/**
 * `0.0.0.0` and `[::]` beside other addresses of one port. PURE.
 *
 * A socket on `[::]` takes IPv4 too, so the system refuses one on `0.0.0.0` beside it, and one on a single address beside either. Who
 * names both wildcards means every address: the one for IPv6 then takes IPv6 alone. A single address beside a wildcard cannot be had.
 */
import type { Address, PassedSocket } from './address.js';

const EVERY_IPV4 = '0.0.0.0';
const EVERY_IPV6 = '::';

/** Whether a socket there has to leave IPv4 to another one of them. */
export function isIpv6Alone(address: Address, all: readonly (Address | PassedSocket)[]): boolean {
  if (!('port' in address) || address.host !== EVERY_IPV6 || address.port === 0) return false;
  return all.some((each) => 'port' in each && each.host === EVERY_IPV4 && each.port === address.port);
}

/** Whether connections to the second address come to a socket on the first one, which is a wildcard. */
export function takesConnectionsOf(first: Address | PassedSocket, second: Address | PassedSocket): boolean {
  if (!('port' in first) || !('port' in second)) return false;
  if (first.port !== second.port || first.port === 0) return false;
  if (second.host === EVERY_IPV4 || second.host === EVERY_IPV6) return false;
  return first.host === EVERY_IPV6 || (first.host === EVERY_IPV4 && !second.host.includes(':'));
}
