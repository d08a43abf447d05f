/**
 * Certificates: what a source hands over, what is served, and the examination in between.
 *
 * The examination asks what can be asked of one pair by itself. Whether OpenSSL will serve it, and which of several is the
 * best, is the resolver's (`resolver/candidates.ts`).
 */
import { createHash, createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import {
  hasBareReturns,
  isCutOff,
  isEncrypted,
  kindOf,
  noCertificate,
  privateKeyBlock,
  splitChain,
} from './pem.js';
import { shortList } from './short-list.js';
import { isAddress, isWildcard, wildcardOf, type ServerName } from './server-name.js';

export { splitChain } from './pem.js';

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

/**
 * What kind of key a certificate has: ECDSA on P-256 or P-384, RSA of 2,048 bits or more, or another one, which many clients
 * do not take (other curves, shorter RSA, RSA-PSS, Edwards curves, and whatever is signed with SHA-1).
 */
export type KeyClass = 'ecdsa' | 'rsa' | 'other';

/** The kinds of keys that complete each other: what the two halves of a bundle have. */
export type KeyKind = Exclude<KeyClass, 'other'>;

/**
 * Whether clients can build a chain: `leads on` (the leaf's issuer is in it), `alone` (a leaf by itself whose issuer may be a
 * root that clients have), `broken` (the issuer is missing by all signs, or the leaf has signed itself).
 */
export type ChainState = 'leads on' | 'alone' | 'broken';

/** A pair whose parts belong together. */
export interface ExaminedPair {
  /** The chain cleaned up: certificates alone, the leaf first. */
  readonly half: CertificateHalf;
  readonly leaf: X509Certificate;
  /** SHA-256 of the leaf, 64 hex digits: as other tools print it, without colons. */
  readonly leafFingerprint: string;
  /** It may be used by servers: its extended key usage says so, or says nothing. */
  readonly isForServers: boolean;
  readonly chain: ChainState;
}

/** A pair, or why it must not be served, in one clause that never holds key material. */
export type PairExamination = { readonly examined: ExaminedPair } | { readonly unusable: string };

/** The verdict on pairs that are to be served together. */
export type Examination =
  /** Valid now, covers the name, and the keys match. */
  | { readonly kind: 'usable'; readonly bundle: CertificateBundle }
  /** Right but for its dates: expired, or not valid yet. Better than another name's certificate, worse than any usable one. */
  | { readonly kind: 'outdated'; readonly bundle: CertificateBundle; readonly reason: string }
  /** Must not be served. */
  | { readonly kind: 'unusable'; readonly reason: string };

/** No name begins with it: it stands for any label that a wildcard covers. */
const ANY_LABEL = 'any-label-below-a-wildcard';
/** RFC 5280 §4.2.1.12: id-kp-serverAuth and anyExtendedKeyUsage. */
const SERVER_USAGES: readonly string[] = ['1.3.6.1.5.5.7.3.1', '2.5.29.37.0'];
/** What the field's clients take: the CA/Browser Forum's curves, as OpenSSL calls them. */
const GOOD_CURVES: readonly (string | undefined)[] = ['prime256v1', 'secp384r1'];
const MIN_RSA_BITS = 2048;
const MAX_NAMES_SHOWN = 5;
/** In a bundle. */
const PLACE: Readonly<Record<KeyClass, number>> = { ecdsa: 0, other: 1, rsa: 2 };
/** sha1WithRSAEncryption and ecdsa-with-SHA1 (RFC 3279 §2.2) as DER. */
const SHA1_SIGNATURES = ['06092a864886f70d010105', '06072a8648ce3d0401'].map((hex) =>
  Buffer.from(hex, 'hex'),
);

/**
 * Examines a pair for a name: every certificate parses, the key belongs to the leaf, the leaf covers the name. A leaf that does
 * not stand first is put there.
 *
 * @param name the name to be served; a wildcard asks whether names below it are covered. Undefined leaves the name out
 *   (the default certificate serves any).
 */
export function examinePair(
  { chainPem, keyPem }: CertificatePair,
  name: ServerName | undefined,
): PairExamination {
  const blocks = splitChain(chainPem);
  if (blocks.length === 0) return { unusable: `the chain ${noCertificate(chainPem)}` };
  if (isCutOff(chainPem, blocks)) return { unusable: 'a certificate of the chain is cut off' };
  let certificates: X509Certificate[];
  try {
    certificates = blocks.map((block) => new X509Certificate(block));
  } catch {
    return { unusable: `a certificate of the chain cannot be parsed${lineEnds(chainPem)}` };
  }
  if (isEncrypted(keyPem)) {
    return { unusable: 'the private key is encrypted: store it without a passphrase' };
  }
  const key = readKey(keyPem);
  if (typeof key === 'string') return { unusable: key };
  const index = certificates.findIndex((certificate) => isKeyOf(key.object, certificate));
  const leaf = certificates[index];
  if (leaf === undefined) return { unusable: 'the private key does not belong to the certificate' };
  if (name !== undefined && !covers(leaf, name)) {
    return { unusable: `the certificate is not for this name but for ${namesOf(leaf)}` };
  }
  const notBeforeMs = Date.parse(leaf.validFrom);
  const notAfterMs = Date.parse(leaf.validTo);
  if (Number.isNaN(notBeforeMs) || Number.isNaN(notAfterMs)) {
    return { unusable: 'the dates of the certificate cannot be read' };
  }
  const above = certificates.filter((_, other) => other !== index);
  const ordered = [blocks[index], ...blocks.filter((_, other) => other !== index)];
  return {
    examined: {
      half: {
        chainPem: ordered.join(''),
        keyPem: key.pem,
        keyClass: isSignedWithSha1(leaf) ? 'other' : keyClassOf(leaf.publicKey),
        fingerprint: sha256([
          leaf.raw,
          ...above.map(({ raw }) => raw),
          leaf.publicKey.export({ type: 'spki', format: 'der' }),
        ]),
        notBeforeMs,
        notAfterMs,
      },
      leaf,
      leafFingerprint: leaf.fingerprint256.replaceAll(':', '').toLowerCase(),
      isForServers: isForServers(leaf),
      chain: chainState(leaf, above),
    },
  };
}

interface ReadKey {
  readonly object: KeyObject;
  /** What OpenSSL takes: as it came, or where that does not go the block alone. */
  readonly pem: string;
}

/** A private key, or why it is none, in one clause. */
function readKey(keyPem: string): ReadKey | string {
  const object = parseKey(keyPem);
  if (object !== undefined) return { object, pem: keyPem };
  // A certificate on the last line of the key is in OpenSSL's way, not in ours.
  const block = privateKeyBlock(keyPem);
  if (block !== undefined) {
    const pem = `${block}\n`;
    const alone = parseKey(pem);
    if (alone !== undefined) return { object: alone, pem };
  }
  const kind = kindOf(keyPem);
  if (kind === 'a private key') {
    return block === undefined
      ? 'the private key is cut off'
      : `the private key cannot be parsed${lineEnds(keyPem)}`;
  }
  return kind === undefined
    ? 'the private key cannot be parsed'
    : `the private key cannot be parsed: it is ${kind}`;
}

function isKeyOf(key: KeyObject, certificate: X509Certificate): boolean {
  try {
    return certificate.checkPrivateKey(key);
  } catch {
    // The certificate has a public key of a kind that OpenSSL does not know.
    return false;
  }
}

function parseKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}

function lineEnds(pem: string): string {
  return hasBareReturns(pem) ? ': its lines end in carriage returns alone' : '';
}

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

/** The kind of the other half of a pair. */
export function otherKind(kind: KeyKind): KeyKind {
  return kind === 'rsa' ? 'ecdsa' : 'rsa';
}

function sha256(parts: readonly (Buffer | string)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
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

/**
 * Examines pairs that are to be served together, all or none, as the default certificate is.
 *
 * @param pairs one or two pairs.
 * @param name as for `examinePair`.
 * @param dateMs the time to judge the dates by, milliseconds since 1970.
 */
export function examine(
  pairs: readonly CertificatePair[],
  name: ServerName | undefined,
  dateMs: number,
): Examination {
  if (pairs.length === 0) return { kind: 'unusable', reason: 'it holds no certificate' };
  const kept: CertificateHalf[] = [];
  for (const pair of pairs) {
    const examination = examinePair(pair, name);
    if ('unusable' in examination) return { kind: 'unusable', reason: examination.unusable };
    kept.push(examination.examined.half);
  }
  const bundle = bundleOf(kept);
  const reason = datesProblem(bundle, dateMs);
  return reason === undefined ? { kind: 'usable', bundle } : { kind: 'outdated', bundle, reason };
}

/**
 * Whether a leaf covers a name, as clients judge it (RFC 9525 §6.3): a wildcard in the certificate covers exactly one label,
 * and only a whole one; a subject without alternative names counts by its common name.
 */
export function covers(leaf: X509Certificate, name: ServerName): boolean {
  if (isAddress(name)) return leaf.checkIP(name) !== undefined;
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

/** The names of a certificate, for a message: its SANs, else its subject. */
function namesOf(leaf: X509Certificate): string {
  // Node's types do not say so, but an empty subject is undefined.
  const { subjectAltName, subject } = leaf as { subjectAltName?: string; subject?: string };
  const text = subjectAltName ?? subject;
  if (text === undefined) return 'none at all';
  const names = text.split(/,\s*|\n/).map((entry) => entry.replace(/^DNS:/, ''));
  return shortList(names, MAX_NAMES_SHOWN);
}

function keyClassOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): KeyClass {
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

function isForServers(leaf: X509Certificate): boolean {
  // Node's `keyUsage` is the extended one, as OIDs; undefined without it, whatever the type says.
  const usages = leaf.keyUsage as readonly string[] | undefined;
  return usages === undefined || usages.some((usage) => SERVER_USAGES.includes(usage));
}

/** See `ChainState`. */
export function chainState(leaf: X509Certificate, above: readonly X509Certificate[]): ChainState {
  if (above.some((issuer) => leaf.checkIssued(issuer))) return 'leads on';
  if (above.length > 0 || isSelfSigned(leaf)) return 'broken';
  // Publicly trusted leaves say where the certificate of their issuer is to be had: then it belongs into the chain.
  return leaf.infoAccess?.includes('CA Issuers - ') === true ? 'broken' : 'alone';
}

/** `checkIssued` denies it of a leaf whose key usage lets it sign no certificates. */
function isSelfSigned(leaf: X509Certificate): boolean {
  return leaf.issuer === leaf.subject && leaf.verify(leaf.publicKey);
}
