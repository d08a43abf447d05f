/** Which loopback addresses the machine has. */
import { networkInterfaces } from 'node:os';

/** Whether `::1` can be listened on. Without it IPv6 is switched off, as in many containers. */
export function hasIpv6Loopback(): boolean {
  return Object.values(networkInterfaces()).some(
    (addresses) => addresses?.some(({ address }) => address === '::1') ?? false,
  );
}
