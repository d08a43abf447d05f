/**
 * A certificate's fingerprint as everything here shows it. PURE.
 */
import type { X509Certificate } from 'node:crypto';

/** SHA-256, 64 hex digits, without colons: as other tools print it. */
export function fingerprintOf({ fingerprint256 }: Pick<X509Certificate, 'fingerprint256'>): string {
  return fingerprint256.replaceAll(':', '').toLowerCase();
}
