/**
 * The examination of what a source hands over: what may be served, and why the rest may not.
 *
 * It judges what can be judged of one pair by itself. Whether OpenSSL will serve it, and which of several is the best, is for
 * the resolver to say (`resolver/candidates.ts`).
 */
import { X509Certificate } from 'node:crypto';
import {
  bundleOf,
  datesProblem,
  sha256,
  type CertificateBundle,
  type CertificateHalf,
  type CertificatePair,
} from './certificate.js';
import { fingerprintOf } from './fingerprint.js';
import { covers, namesOf } from './covered-names.js';
import { keyClassOf } from './key-class.js';
import { bareReturnsClause, isCutOff, noCertificate, splitChain } from './pem.js';
import { isKeyOf, readPrivateKey } from './private-key.js';
import type { ServerName } from './server-name.js';

/** A pair whose parts belong together. */
export interface ExaminedPair {
  /** The chain cleaned up: certificates alone, the leaf first. */
  readonly half: CertificateHalf;
  readonly leaf: X509Certificate;
  /** It may be used by servers: its extended key usage says so, or says nothing. */
  readonly isForServers: boolean;
  /** The other certificates of the chain. */
  readonly above: readonly X509Certificate[];
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

/** RFC 5280 §4.2.1.12: id-kp-serverAuth and anyExtendedKeyUsage. */
const SERVER_USAGES: readonly string[] = ['1.3.6.1.5.5.7.3.1', '2.5.29.37.0'];

/**
 * Examines a pair for a name: every certificate parses, the key belongs to the leaf, the leaf covers the name. A leaf that does
 * not stand first is put there.
 *
 * @param name the name to be served; a wildcard asks whether names below it are covered. Undefined leaves the name out
 *   (the default certificate serves any).
 */
export function examinePair(pair: CertificatePair, name: ServerName | undefined): PairExamination {
  if (!isText(pair, 'chainPem') || !isText(pair, 'keyPem')) {
    return { unusable: 'it is no pair of texts, `chainPem` and `keyPem`' };
  }
  const { chainPem, keyPem } = pair;
  const blocks = splitChain(chainPem);
  if (blocks.length === 0) return { unusable: `the chain ${noCertificate(chainPem)}` };
  if (isCutOff(chainPem, blocks)) return { unusable: 'a certificate of the chain is cut off' };
  let certificates: X509Certificate[];
  try {
    certificates = blocks.map((block) => new X509Certificate(block));
  } catch {
    return { unusable: `a certificate of the chain cannot be parsed${bareReturnsClause(chainPem)}` };
  }
  const key = readPrivateKey(keyPem);
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
        keyClass: keyClassOf(leaf),
        fingerprint: sha256([
          leaf.raw,
          ...above.map(({ raw }) => raw),
          leaf.publicKey.export({ type: 'spki', format: 'der' }),
        ]),
        leafFingerprint: fingerprintOf(leaf),
        notBeforeMs,
        notAfterMs,
      },
      leaf,
      isForServers: isForServers(leaf),
      above,
    },
  };
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

function isForServers(leaf: X509Certificate): boolean {
  // Node's `keyUsage` is the extended one, as OIDs; undefined without it, whatever the type says.
  const usages = leaf.keyUsage as readonly string[] | undefined;
  return usages === undefined || usages.some((usage) => SERVER_USAGES.includes(usage));
}

/** An embedder may have no types, and read a file as a `Buffer`. */
function isText(pair: unknown, part: keyof CertificatePair): boolean {
  return (
    typeof pair === 'object' &&
    pair !== null &&
    typeof (pair as Partial<Record<string, unknown>>)[part] === 'string'
  );
}
