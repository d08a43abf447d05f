/**
 * Certificates: what a source hands over, and the examination that decides whether it may be served.
 */
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { isWildcard, wildcardOf, type ServerName } from './server-name.js';

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
  /**
   * SHA-256 over the certificates and the public keys, 64 hex digits. Equal fingerprints mean the same certificates, whatever
   * order the pairs came in and however their PEM was laid out.
   */
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

const BEGIN = '-----BEGIN CERTIFICATE-----';
/** Base64 has no hyphen: a block that has no end is left after one pass, however many more begin. */
const CERTIFICATE_BLOCK = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;
/** No name begins with it: it stands for any label that a wildcard covers. */
const ANY_LABEL = 'any-label-below-a-wildcard';

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
  const kept: { pair: CertificatePair; isRsa: boolean; identity: readonly Buffer[] }[] = [];
  let notBeforeMs = -Infinity;
  let notAfterMs = Infinity;
  for (const pair of pairs) {
    const blocks = splitChain(pair.chainPem);
    const leafPem = blocks[0];
    if (leafPem === undefined) return unusable('the chain holds no PEM certificate');
    if (pair.chainPem.split(BEGIN).length - 1 !== blocks.length) {
      return unusable('a certificate of the chain is cut off');
    }
    let leaf: X509Certificate;
    let above: X509Certificate[];
    try {
      leaf = new X509Certificate(leafPem);
      above = blocks.slice(1).map((block) => new X509Certificate(block));
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
    notBeforeMs = Math.max(notBeforeMs, Date.parse(leaf.validFrom));
    notAfterMs = Math.min(notAfterMs, Date.parse(leaf.validTo));
    if (Number.isNaN(notBeforeMs) || Number.isNaN(notAfterMs)) {
      return unusable('the dates of the certificate cannot be read');
    }
    kept.push({
      pair: { chainPem: blocks.join(''), keyPem: pair.keyPem },
      isRsa: keyType === 'rsa' || keyType === 'rsa-pss',
      identity: [
        ...[leaf, ...above].map(({ raw }) => raw),
        leaf.publicKey.export({ type: 'spki', format: 'der' }),
      ],
    });
  }
  kept.sort((a, b) => Number(a.isRsa) - Number(b.isRsa));
  const hash = createHash('sha256');
  for (const part of kept.flatMap(({ identity }) => identity)) hash.update(part);
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

/**
 * Whether a leaf covers a name, as clients judge it (RFC 9525 §6.3): a wildcard in the certificate covers exactly one label,
 * and only a whole one; a subject without alternative names counts by its common name.
 */
export function covers(leaf: X509Certificate, name: ServerName): boolean {
  if (isWildcard(name)) return holdsWildcard(leaf, name);
  if (leaf.checkHost(name, { partialWildcards: false }) !== undefined) return true;
  // OpenSSL lets no wildcard cover an underscore; browsers do.
  const above = wildcardOf(name);
  return above !== undefined && name.slice(0, name.indexOf('.')).includes('_') && holdsWildcard(leaf, above);
}

/** Whether a leaf has the wildcard itself. OpenSSL matches no star against a star: a label stands in for it. */
function holdsWildcard(leaf: X509Certificate, wildcard: ServerName): boolean {
  const matched = leaf.checkHost(`${ANY_LABEL}${wildcard.slice(1)}`, { partialWildcards: false });
  return matched?.toLowerCase() === wildcard;
}

/** The names of a certificate, for a message: its SANs, else its subject. At most five. */
function namesOf(leaf: X509Certificate): string {
  // Node's types do not say so, but an empty subject is undefined.
  const { subjectAltName, subject } = leaf as { subjectAltName?: string; subject?: string };
  const text = subjectAltName ?? subject;
  if (text === undefined) return 'none at all';
  const names = text.split(/,\s*|\n/).map((entry) => entry.replace(/^DNS:/, ''));
  return names.length > 5 ? `${names.slice(0, 5).join(', ')} and ${names.length - 5} more` : names.join(', ');
}
