/**
 * Certificates: what a source hands over, and what is served. Between the two stands the examination (`examination.ts`).
 */
import { createHash } from 'node:crypto';
import { otherKind, type KeyClass, type KeyKind } from './key-class.js';

/** One certificate chain with its private key, both PEM. */
export interface CertificatePair {
  /** The leaf first, then the intermediates. */
  readonly chainPem: string;
  /** PKCS#8, SEC1 or PKCS#1, unencrypted. */
  readonly keyPem: string;
}

/** A pair that has been examined: all of what is served for a name, or one half of it. */
export interface CertificateHalf extends CertificatePair {
  readonly keyClass: KeyClass;
  /** SHA-256 over its certificates and its public key, 64 hex digits. */
  readonly fingerprint: string;
  /** SHA-256 of the leaf, 64 hex digits: as other tools print it, without colons. */
  readonly leafFingerprint: string;
  /** Milliseconds since 1970. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** What is served for a name: one pair, or an ECDSA and an RSA pair between which OpenSSL chooses. */
export interface CertificateBundle {
  /** One or two; the ECDSA one first. */
  readonly pairs: readonly CertificateHalf[];
  /**
   * That of the half, or SHA-256 over those of both, 64 hex digits. Equal fingerprints mean the same certificates, whatever
   * order the pairs came in and however their PEM was laid out.
   */
  readonly fingerprint: string;
  /** Valid from the latest `notBefore` of the leaves … (milliseconds since 1970) */
  readonly notBeforeMs: number;
  /** … to the earliest `notAfter`. */
  readonly notAfterMs: number;
}

/** The order of the pairs of a bundle. */
const PLACE: Readonly<Record<KeyClass, number>> = { ecdsa: 0, other: 1, rsa: 2 };

/** Examined pairs as what is served together: one, or an ECDSA and an RSA one. @param halves at least one. */
export function bundleOf(halves: readonly CertificateHalf[]): CertificateBundle {
  const pairs = [...halves].sort((a, b) => PLACE[a.keyClass] - PLACE[b.keyClass]);
  const fingerprints = pairs.map(({ fingerprint }) => fingerprint);
  return {
    pairs,
    fingerprint: fingerprints.length === 1 ? fingerprints.join('') : sha256(fingerprints),
    notBeforeMs: Math.max(...pairs.map(({ notBeforeMs }) => notBeforeMs)),
    notAfterMs: Math.min(...pairs.map(({ notAfterMs }) => notAfterMs)),
  };
}

/** The kind of the half that a bundle could be completed with; undefined where nothing completes it. */
export function kindMissingIn({ pairs }: CertificateBundle): KeyKind | undefined {
  const [half, other] = pairs;
  if (half === undefined || other !== undefined || half.keyClass === 'other') return undefined;
  return otherKind(half.keyClass);
}

/** Whether something with these dates is valid at a time; else why not. */
export function datesProblem(
  { notBeforeMs, notAfterMs }: { readonly notBeforeMs: number; readonly notAfterMs: number },
  dateMs: number,
): string | undefined {
  if (dateMs >= notAfterMs) return `it expired on ${new Date(notAfterMs).toISOString()}`;
  if (dateMs < notBeforeMs) return `it is not valid before ${new Date(notBeforeMs).toISOString()}`;
  return undefined;
}

/** SHA-256 over the parts, one after the other, in 64 hex digits. */
export function sha256(parts: readonly (Buffer | string)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}
