/**
 * What a person wants to know of a certificate, read from its leaf. PURE. Nothing of a private key is in it.
 */
import { X509Certificate } from 'node:crypto';
import { fingerprintOf } from './fingerprint.js';
import { splitChain } from './pem.js';

export interface LeafFacts {
  /** SHA-256 of the leaf, 64 hex digits: as other tools print it, without colons. */
  readonly fingerprint: string;
  /** The names that it is for; its subject where it has no alternative names. */
  readonly names: readonly string[];
  /** The issuer's common name, else all of its name. */
  readonly issuer: string;
  /** `EC P-256`, `RSA 2048` and the like. */
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** Of the first certificate of a chain that can be parsed; undefined where none can. */
export function leafFactsOf(chainPem: string): LeafFacts | undefined {
  for (const block of splitChain(chainPem)) {
    try {
      return leafFacts(new X509Certificate(block));
    } catch {
      // A damaged block says nothing of the next one.
    }
  }
  return undefined;
}

export function leafFacts(leaf: X509Certificate): LeafFacts {
  // Node's types do not say so, but an empty subject or issuer is undefined.
  const { subjectAltName, subject, issuer } = leaf as {
    subjectAltName?: string;
    subject?: string;
    issuer?: string;
  };
  return {
    fingerprint: fingerprintOf(leaf),
    names:
      subjectAltName === undefined
        ? [commonNameOf(subject) ?? 'none at all']
        : subjectAltName.split(/,\s*/).map((entry) => entry.replace(/^(?:DNS|IP Address):/, '')),
    issuer: commonNameOf(issuer) ?? 'unknown',
    key: keyText(leaf),
    notBeforeMs: Date.parse(leaf.validFrom),
    notAfterMs: Date.parse(leaf.validTo),
  };
}

/** Names of curves as people write them, by OpenSSL's. */
const CURVES: Readonly<Record<string, string>> = {
  prime256v1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
};

function keyText(leaf: X509Certificate): string {
  try {
    const { asymmetricKeyType = 'unknown', asymmetricKeyDetails } = leaf.publicKey;
    const { namedCurve, modulusLength } = asymmetricKeyDetails ?? {};
    const detail = namedCurve === undefined ? modulusLength : (CURVES[namedCurve] ?? namedCurve);
    return `${asymmetricKeyType.toUpperCase()}${detail === undefined ? '' : ` ${detail}`}`;
  } catch {
    return 'unknown';
  }
}

/** A name as Node prints it has one attribute a line. */
function commonNameOf(name: string | undefined): string | undefined {
  return name?.match(/^CN=(.*)$/m)?.[1] ?? name?.replaceAll('\n', ', ');
}
