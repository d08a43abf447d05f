/**
 * Whether clients can build a chain from what is served with a leaf. PURE.
 */
import type { X509Certificate } from 'node:crypto';

/**
 * Whether clients can build a chain: `leads on` (the leaf's issuer is in it), `alone` (a leaf by itself whose issuer may be a
 * root that clients have), `broken` (the issuer is missing by all signs, or the leaf has signed itself).
 */
export type ChainState = 'leads on' | 'alone' | 'broken';

/** @param above the other certificates that are served with the leaf. */
export function chainState(leaf: X509Certificate, above: readonly X509Certificate[]): ChainState {
  if (above.some((issuer) => leaf.checkIssued(issuer))) return 'leads on';
  if (above.length > 0 || isSelfSigned(leaf)) return 'broken';
  // Publicly trusted leaves say where their issuer's certificate is to be downloaded: then it belongs in the chain.
  return leaf.infoAccess?.includes('CA Issuers - ') === true ? 'broken' : 'alone';
}

/** Node's `checkIssued` is false for a self-signed leaf whose key usage does not let it sign certificates: hence `verify`. */
function isSelfSigned(leaf: X509Certificate): boolean {
  return leaf.issuer === leaf.subject && leaf.verify(leaf.publicKey);
}
