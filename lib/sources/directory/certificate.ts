/**
 * What the directory source reads out of the files of a pair. PURE.
 */
import { createHash, X509Certificate } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { CertificatePair } from '../../domain/certificate.js';
import { examinePair } from '../../domain/examination.js';
import { hasBareReturns, noCertificate, privateKeyBlock, splitChain } from '../../domain/pem.js';
import { addressName, normaliseDomain, type ServerName } from '../../domain/server-name.js';
import { standingOf, type Standing } from '../../domain/shortcomings.js';

/** What is known of a certificate without its key, and without holding on to it. */
export interface CertificateFacts {
  /** The host names in it, wildcards literally, and the addresses. */
  readonly names: readonly ServerName[];
  readonly isRsa: boolean;
  /** Milliseconds since 1970. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly standing: Standing;
}

/** Facts, or a clause that says why there are none. `names` where they can be told all the same. */
export type ReadFacts =
  { readonly facts: CertificateFacts } | { readonly reason: string; readonly names?: readonly ServerName[] };

/** rsaEncryption and id-RSASSA-PSS (RFC 8017 Annex C) as DER: what the public key says of itself. */
const RSA_KEYS = ['06092a864886f70d010101', '06092a864886f70d01010a'].map((hex) => Buffer.from(hex, 'hex'));
/** 132 bits: enough to tell contents apart, and kept for each certificate. */
const DIGEST_LENGTH = 22;
/** Issuers that were parsed lately, by their PEM. */
const ISSUERS = new LRUCache<string, X509Certificate>({ max: 32 });
const BEGIN = /-----BEGIN /g;
const END = /-----END [A-Z0-9 ]+-----/g;

/** Whether a text holds a private key. */
export function holdsKey(pem: string): boolean {
  return privateKeyBlock(pem) !== undefined;
}

/** Whether whatever begins in a text ends in it: a file that is being written may be cut off anywhere. */
export function isWhole(pem: string): boolean {
  return pem.match(BEGIN)?.length === pem.match(END)?.length;
}

/** Reads a chain without its key: the leaf is the first certificate that names a host and is no authority, else the first. */
export function factsOf(chainPem: string): ReadFacts {
  const blocks = splitChain(chainPem);
  if (blocks.length === 0) return { reason: `it ${noCertificate(chainPem)}` };
  let leaf: X509Certificate | undefined;
  let leafIndex = 0;
  try {
    for (const [index, block] of blocks.entries()) {
      const certificate = new X509Certificate(block);
      leaf ??= certificate;
      if (certificate.ca || namesOf(certificate).length === 0) continue;
      leaf = certificate;
      leafIndex = index;
      break;
    }
  } catch {
    const lineEnds = hasBareReturns(chainPem) ? ': its lines end in carriage returns alone' : '';
    return { reason: `a certificate in it cannot be parsed${lineEnds}` };
  }
  if (leaf === undefined) return { reason: 'it holds no PEM certificate' };
  const names = namesOf(leaf);
  if (!isWhole(chainPem)) return { reason: 'it is cut off', names };
  if (names.length === 0) return { reason: 'the certificate names no host', names };
  const { raw, validFrom, validTo } = leaf;
  const [notBeforeMs, notAfterMs] = [Date.parse(validFrom), Date.parse(validTo)];
  if (Number.isNaN(notBeforeMs) || Number.isNaN(notAfterMs)) {
    return { reason: 'the dates of the certificate cannot be read', names };
  }
  const isRsa = RSA_KEYS.some((identifier) => raw.includes(identifier));
  const standing = standingOf(leaf, issuersAmong(blocks.filter((_, index) => index !== leafIndex)));
  return { facts: { names, isRsa, notBeforeMs, notAfterMs, standing } };
}

/**
 * The certificates that stand beside a leaf, but for any that cannot be parsed: that is found when the pair is handed over. Few
 * authorities issue all the leaves of a directory, so the last ones are kept.
 */
function issuersAmong(blocks: readonly string[]): X509Certificate[] {
  return blocks.flatMap((block) => {
    let certificate = ISSUERS.get(block);
    if (certificate === undefined) {
      try {
        certificate = new X509Certificate(block);
      } catch {
        return [];
      }
      ISSUERS.set(block, certificate);
    }
    return [certificate];
  });
}

/** The pair to hand over, the leaf first; or a clause that says why it cannot be used. */
export function pairOf(chainPem: string, keyText: string): CertificatePair | string {
  // A key in the chain's file is taken out of it: the rest is in the chain already.
  const keyPem = splitChain(keyText).length === 0 ? keyText : (privateKeyBlock(keyText) ?? keyText);
  const examination = examinePair({ chainPem, keyPem }, undefined);
  if ('unusable' in examination) return examination.unusable;
  const { half } = examination.examined;
  return { chainPem: half.chainPem, keyPem: half.keyPem };
}

export function digestOf(...texts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(text).update('\0');
  return hash.digest('base64').slice(0, DIGEST_LENGTH);
}

/** What tells one pair from another: digests of the chain's content, and of the key or of its file's stamp. */
export function versionOf(chainPem: string, key: string): string {
  return `${digestOf(chainPem)} ${digestOf(key)}`;
}

/** Whether a version is of this chain. */
export function isOfVersion(version: string, chainPem: string): boolean {
  return version.startsWith(`${digestOf(chainPem)} `);
}

/** The names of a certificate: its alternative names, or, without host names among them, its common name; and its addresses. */
function namesOf(leaf: X509Certificate): ServerName[] {
  // Node escapes commas within a name, so that this list can be split.
  const entries = (leaf.subjectAltName ?? '').split(', ');
  const after = (prefix: string): string[] =>
    entries.filter((entry) => entry.startsWith(prefix)).map((entry) => entry.slice(prefix.length));
  const alternatives = after('DNS:');
  // Undefined where it is empty, whatever the type says.
  const subject = leaf.subject as string | undefined;
  const commonNames = (): string[] =>
    (subject ?? '')
      .split('\n')
      .filter((entry) => entry.startsWith('CN='))
      .map((entry) => entry.slice('CN='.length));
  const names = (alternatives.length > 0 ? alternatives : commonNames()).map(normaliseDomain);
  const addresses = after('IP Address:').map(addressName);
  return [...new Set([...names, ...addresses])].filter((name) => name !== undefined);
}
