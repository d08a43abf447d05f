/**
 * Whether clients can build a chain from what is served with a leaf. PURE.
 */
import type { X509Certificate } from 'node:crypto';

/**
 * Whether clients can build a chain: `leads on` (the leaf's issuer is in it), `alone` (a leaf by itself whose issuer may be a
 * root that clients have), `broken` (the issuer is missing by all signs, or is outdated, or the leaf has signed itself).
 */
export type ChainState = 'leads on' | 'alone' | 'broken';

/**
 * @param above the other certificates that are served with the leaf.
 * @param dateMs the time to judge the issuer's dates by, milliseconds since 1970. Left out: they do not count.
 */
export function chainState(
  leaf: X509Certificate,
  above: readonly X509Certificate[],
  dateMs?: number,
): ChainState {
  const issuers = above.filter((issuer) => leaf.checkIssued(issuer));
  if (issuers.length > 0) {
    const isUsable = dateMs === undefined || issuers.some((issuer) => isUsableAt(issuer, dateMs));
    return isUsable ? 'leads on' : 'broken';
  }
  if (above.length > 0 || isSelfSigned(leaf)) return 'broken';
  // Publicly trusted leaves say where their issuer's certificate is to be downloaded: then it belongs in the chain.
  return leaf.infoAccess?.includes('CA Issuers - ') === true ? 'broken' : 'alone';
}

/** Node's `checkIssued` is false for a self-signed leaf whose key usage does not let it sign certificates: hence `verify`. */
function isSelfSigned(leaf: X509Certificate): boolean {
  return leaf.issuer === leaf.subject && leaf.verify(leaf.publicKey);
}

/** A root counts whatever its dates: clients have their own. */
function isUsableAt(issuer: X509Certificate, dateMs: number): boolean {
  const isInTime = Date.parse(issuer.validFrom) <= dateMs && dateMs < Date.parse(issuer.validTo);
  return isInTime || issuer.issuer === issuer.subject;
}
