/**
 * Kinds of keys: which clients take a certificate, and which two certificates complete each other. PURE.
 */
import type { X509Certificate } from 'node:crypto';

/**
 * What kind of key a certificate has: ECDSA on P-256 or P-384, RSA of 2,048 bits or more, or another one, which many clients
 * do not take (other curves, shorter RSA, RSA-PSS, Edwards curves, and whatever is signed with SHA-1).
 */
export type KeyClass = 'ecdsa' | 'rsa' | 'other';

/** The kinds of keys that complete each other: what the two halves of a bundle have. */
export type KeyKind = Exclude<KeyClass, 'other'>;

/** What the field's clients take: the CA/Browser Forum's curves, as OpenSSL calls them. */
const GOOD_CURVES: readonly (string | undefined)[] = ['prime256v1', 'secp384r1'];
const MIN_RSA_BITS = 2048;
/** sha1WithRSAEncryption and ecdsa-with-SHA1 (RFC 3279 §2.2) as DER. */
const SHA1_SIGNATURES = ['06092a864886f70d010105', '06072a8648ce3d0401'].map((hex) =>
  Buffer.from(hex, 'hex'),
);

export function keyClassOf(leaf: X509Certificate): KeyClass {
  if (isSignedWithSha1(leaf)) return 'other';
  const { asymmetricKeyType, asymmetricKeyDetails } = leaf.publicKey;
  const { namedCurve, modulusLength = 0 } = asymmetricKeyDetails ?? {};
  if (asymmetricKeyType === 'ec' && GOOD_CURVES.includes(namedCurve)) return 'ecdsa';
  return asymmetricKeyType === 'rsa' && modulusLength >= MIN_RSA_BITS ? 'rsa' : 'other';
}

/**
 * Whether a certificate is signed with SHA-1, which OpenSSL serves or not by its version, and no browser takes. Node 20 does not
 * say what a signature is made with: the algorithm's identifier is looked for.
 */
function isSignedWithSha1({ raw }: X509Certificate): boolean {
  return SHA1_SIGNATURES.some((identifier) => raw.includes(identifier));
}

/** The kind of the other half of a pair. */
export function otherKind(kind: KeyKind): KeyKind {
  return kind === 'rsa' ? 'ecdsa' : 'rsa';
}
