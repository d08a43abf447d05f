/**
 * Mints certificates: roots, leaves below them, and self-signed ones.
 *
 * Certificates are X.509 v3 as in RFC 5280: random positive 16-byte serial numbers, the names in the subject alternative names,
 * key identifiers to build the chain by. Nothing here reads a clock or a disk: a caller that wants to allow for clients whose
 * clock is behind sets the validity accordingly.
 */
import { X509Certificate } from 'node:crypto';
import type { CertificatePair } from '../domain/certificate.js';
import { sequence } from './der.js';
import { authorityExtensions, serverExtensions } from './extensions.js';
import type { GeneratedKey } from './keys.js';
import { ownSigner, signerOf, type Authority } from './signer.js';
import { buildCertificate, nameOf, type Validity } from './x509.js';

/** X.520: a common name has at most 64 characters. Longer names stand in the alternative names alone. */
const MAX_COMMON_NAME = 64;

/** Mints a self-signed authority, valid for `validityMs` from `nowMs` on. */
export function mintRoot(options: {
  readonly commonName: string;
  readonly key: GeneratedKey;
  readonly nowMs: number;
  readonly validityMs: number;
}): Authority {
  const { commonName, key, nowMs, validityMs } = options;
  const subject = nameOf(commonName);
  const certPem = buildCertificate({
    subject,
    publicKey: key.publicKey,
    signer: ownSigner(subject, key),
    validity: { notBeforeMs: nowMs, notAfterMs: nowMs + validityMs },
    extensions: authorityExtensions(undefined),
  });
  return { certPem, keyPem: key.privateKeyPem };
}

/** Mints an authority below another one, for leaves only. Its validity is cut to the issuer's. */
export function mintIntermediate(
  options: { readonly commonName: string; readonly key: GeneratedKey; readonly issuer: Authority } & Validity,
): Authority {
  const { commonName, key, issuer } = options;
  const certPem = buildCertificate({
    subject: nameOf(commonName),
    publicKey: key.publicKey,
    signer: signerOf(issuer),
    validity: within(options, issuer),
    extensions: authorityExtensions(0),
  });
  return { certPem, keyPem: key.privateKeyPem };
}

/**
 * Mints a server certificate.
 *
 * @param options `names`: one or more host names, wildcards or IP addresses. The validity is cut to the issuer's.
 * @returns the leaf, followed by the issuer's certificate where that is an intermediate. A root is left out: who trusts
 *   it has it.
 * @throws RangeError for no names, or where nothing of the validity lies within the issuer's.
 */
export function mintLeaf(
  options: {
    readonly names: readonly string[];
    readonly key: GeneratedKey;
    readonly issuer: Authority;
  } & Validity,
): CertificatePair {
  const { names, key, issuer } = options;
  const first = names[0] ?? '';
  const fits = first.length <= MAX_COMMON_NAME;
  const leafPem = buildCertificate({
    subject: fits ? nameOf(first) : sequence(),
    publicKey: key.publicKey,
    signer: signerOf(issuer),
    validity: within(options, issuer),
    extensions: serverExtensions(names, key.publicKey, !fits),
  });
  const above = new X509Certificate(issuer.certPem);
  return {
    chainPem: above.checkIssued(above) ? leafPem : leafPem + above.toString(),
    keyPem: key.privateKeyPem,
  };
}

/**
 * Mints a server certificate that is signed by its own key: what stands in where there is no other.
 *
 * @param options `names` as for `mintLeaf`; `commonName` is the first name unless given.
 * @throws RangeError for no names.
 */
export function selfSigned(
  options: {
    readonly names: readonly string[];
    readonly key: GeneratedKey;
    readonly commonName?: string;
  } & Validity,
): CertificatePair {
  const { names, key, commonName } = options;
  // An issuer must not be empty (RFC 5280 §4.1.2.4), and here the subject is the issuer: a long name is cut.
  const subject = nameOf((commonName ?? names[0] ?? '').slice(0, MAX_COMMON_NAME));
  const chainPem = buildCertificate({
    subject,
    publicKey: key.publicKey,
    signer: ownSigner(subject, key),
    validity: options,
    extensions: serverExtensions(names, key.publicKey, false),
  });
  return { chainPem, keyPem: key.privateKeyPem };
}

/** A validity cut to that of the issuer: a chain is only as good as its shortest member. */
function within({ notBeforeMs, notAfterMs }: Validity, issuer: Authority): Validity {
  const cert = new X509Certificate(issuer.certPem);
  const cut = {
    notBeforeMs: Math.max(notBeforeMs, Date.parse(cert.validFrom)),
    notAfterMs: Math.min(notAfterMs, Date.parse(cert.validTo)),
  };
  if (cut.notBeforeMs >= cut.notAfterMs) {
    throw new RangeError(
      `the certificate would be valid at no time: its issuer is valid from ${cert.validFrom} to ${cert.validTo}`,
    );
  }
  return cut;
}
