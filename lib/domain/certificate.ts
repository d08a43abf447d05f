/**
 * Certificates: what a source hands over, and the examination that decides whether it may be served.
 */
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { isWildcard, type ServerName } from './server-name.js';

/** One certificate chain with its private key, both PEM. */
export interface CertificatePair {
  /** The leaf first, then the intermediates. */
  readonly chainPem: string;
  /** PKCS#8, SEC1 or PKCS#1, unencrypted. */
  readonly keyPem: string;
}

/** What is served for a name: one pair, or an ECDSA and an RSA pair between which OpenSSL chooses. */
export interface CertificateBundle {
  /** One or two; the ECDSA one first. */
  readonly pairs: readonly CertificatePair[];
  /** SHA-256 over chains and public keys, 64 hex digits. Equal fingerprints mean the same certificate. */
  readonly fingerprint: string;
  /** Valid from the latest `notBefore` of the leaves … (milliseconds since 1970) */
  readonly notBeforeMs: number;
  /** … to the earliest `notAfter`. */
  readonly notAfterMs: number;
}

/** The verdict on what a source handed over. */
export type Examination =
  /** Valid now, covers the name, and the keys match. */
  | { readonly kind: 'usable'; readonly bundle: CertificateBundle }
  /** Right but for its dates: expired, or not valid yet. Better than another name's certificate, worse than any usable one. */
  | { readonly kind: 'outdated'; readonly bundle: CertificateBundle; readonly reason: string }
  /** Must not be served. */
  | { readonly kind: 'unusable'; readonly reason: string };

const CERTIFICATE_BLOCK = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/** The certificates of a PEM text, one by one, each ended with a newline. Text around them is dropped. */
export function splitChain(pem: string): string[] {
  return Array.from(pem.matchAll(CERTIFICATE_BLOCK), ([block]) => `${block}\n`);
}

/**
 * Examines pairs for a name: every certificate parses, the key belongs to the leaf, the leaf covers the name.
 *
 * @param pairs one or two pairs.
 * @param name the name to be served; a wildcard asks whether names below it are covered. Undefined leaves the name out
 *   (the default certificate serves any).
 * @param nowMs the time to judge the dates by.
 * @returns the verdict. The reason never holds key material.
 */
export function examine(
  pairs: readonly CertificatePair[],
  name: ServerName | undefined,
  nowMs: number,
): Examination {
  const unusable = (reason: string): Examination => ({ kind: 'unusable', reason });
  if (pairs.length === 0) return unusable('it holds no certificate');
  const hash = createHash('sha256');
  const kept: { pair: CertificatePair; isRsa: boolean }[] = [];
  let notBeforeMs = -Infinity;
  let notAfterMs = Infinity;
  for (const pair of pairs) {
    const blocks = splitChain(pair.chainPem);
    const leafPem = blocks[0];
    if (leafPem === undefined) return unusable('the chain holds no PEM certificate');
    let leaf: X509Certificate;
    try {
      leaf = new X509Certificate(leafPem);
      for (const block of blocks.slice(1)) new X509Certificate(block);
    } catch {
      return unusable('a certificate of the chain cannot be parsed');
    }
    let matches: boolean;
    try {
      matches = leaf.checkPrivateKey(createPrivateKey(pair.keyPem));
    } catch {
      return unusable('the private key cannot be parsed');
    }
    if (!matches) return unusable('the private key does not belong to the certificate');
    if (name !== undefined && !covers(leaf, name)) {
      return unusable(`the certificate is not for this name but for ${namesOf(leaf)}`);
    }
    const keyType = leaf.publicKey.asymmetricKeyType;
    hash.update(blocks.join(''));
    hash.update(leaf.publicKey.export({ type: 'spki', format: 'der' }));
    notBeforeMs = Math.max(notBeforeMs, Date.parse(leaf.validFrom));
    notAfterMs = Math.min(notAfterMs, Date.parse(leaf.validTo));
    kept.push({
      pair: { chainPem: blocks.join(''), keyPem: pair.keyPem },
      isRsa: keyType === 'rsa' || keyType === 'rsa-pss',
    });
  }
  kept.sort((a, b) => Number(a.isRsa) - Number(b.isRsa));
  const bundle = {
    pairs: kept.map(({ pair }) => pair),
    fingerprint: hash.digest('hex'),
    notBeforeMs,
    notAfterMs,
  };
  if (nowMs >= notAfterMs) {
    return { kind: 'outdated', bundle, reason: `it expired on ${new Date(notAfterMs).toISOString()}` };
  }
  if (nowMs < notBeforeMs) {
    return {
      kind: 'outdated',
      bundle,
      reason: `it is not valid before ${new Date(notBeforeMs).toISOString()}`,
    };
  }
  return { kind: 'usable', bundle };
}

/** Whether a leaf covers a name (RFC 6125 §6.4; wildcards in the certificate cover one label). */
export function covers(leaf: X509Certificate, name: ServerName): boolean {
  // OpenSSL does not match a star against a star: any label stands for those that the wildcard covers.
  const probe = isWildcard(name) ? `any${name.slice(1)}` : name;
  return leaf.checkHost(probe) !== undefined;
}

/** The names of a certificate, for a message: its SANs, else its subject. At most five. */
function namesOf(leaf: X509Certificate): string {
  const names = (leaf.subjectAltName ?? leaf.subject)
    .split(/,\s*|\n/)
    .map((entry) => entry.replace(/^DNS:/, ''));
  return names.length > 5 ? `${names.slice(0, 5).join(', ')} and ${names.length - 5} more` : names.join(', ');
}
