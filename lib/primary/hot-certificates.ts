/**
 * What a new worker is given to begin with: the certificates that were asked for last, so that it need not ask for each of them.
 */
import type { PemCache } from '../caches/pem-cache.js';
import type { HotCertificate } from '../domain/cache-status.js';

/** Taking these costs a new worker a second on Node 20, in which it does not accept. */
const MAX_HOT = 500;

/**
 * The fresh certificates that were asked for last, the hottest last.
 *
 * @param lruMaxItems how many a worker keeps: it is given no more.
 */
export function hotCertificates(pem: PemCache, lruMaxItems: number): HotCertificate[] {
  const hot: HotCertificate[] = [];
  const most = Math.min(lruMaxItems, MAX_HOT);
  for (const [name, { entry, state }] of pem.entries()) {
    if (hot.length >= most) break;
    if (state !== 'fresh') continue;
    const { certificate, origin: tier, isProvisional, freshForMs } = entry;
    hot.push({ name, certificate, tier, ...(isProvisional && { keepMs: freshForMs }) });
  }
  return hot.reverse();
}
