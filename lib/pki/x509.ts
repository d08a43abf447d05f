/**
 * Builds X.509 v3 certificates (RFC 5280 §4.1) from their parts and signs them, always with SHA-256.
 *
 * Signatures come from `node:crypto`; node-forge writes the ASN.1 only, as its own certificate builder knows RSA alone.
 */
import { randomBytes, sign, X509Certificate, type KeyObject } from 'node:crypto';
import {
  binary,
  bits,
  explicit,
  fromDer,
  integer,
  nothing,
  oid,
  sequence,
  setOf,
  time,
  toDer,
  utf8,
  type Node,
} from './der.js';
import { keyIdentifiers } from './extensions.js';
import { spki } from './keys.js';
import type { Signer } from './signer.js';

/** From when to when, milliseconds since 1970. Certificates know whole seconds: the rest is cut off. */
export interface Validity {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

const OID = {
  commonName: '2.5.4.3',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  sha256WithRsa: '1.2.840.113549.1.1.11',
} as const;

/**
 * Certificate and TBSCertificate of RFC 5280 §4.1.
 *
 * @returns PEM.
 * @throws TypeError where the signer's key is neither RSA nor EC.
 */
export function buildCertificate(parts: {
  readonly subject: Node;
  readonly publicKey: KeyObject;
  readonly signer: Signer;
  readonly validity: Validity;
  readonly extensions: readonly Node[];
}): string {
  const { subject, publicKey, signer, validity, extensions } = parts;
  const algorithm = signatureAlgorithm(signer.privateKey);
  const serial = randomBytes(16);
  // Positive, and sixteen octets always: the first bit clear, the second set.
  serial.writeUInt8((serial.readUInt8(0) & 0x3f) | 0x40, 0);
  const tbs = sequence(
    explicit(0, integer('\x02')),
    integer(binary(serial)),
    algorithm,
    signer.subject,
    sequence(time(validity.notBeforeMs), time(validity.notAfterMs)),
    subject,
    fromDer(spki(publicKey)),
    explicit(3, sequence(...extensions, ...keyIdentifiers(publicKey, signer.keyId))),
  );
  const signature = sign('sha256', toDer(tbs), signer.privateKey);
  const certificate = sequence(tbs, algorithm, bits(binary(signature)));
  // Through node:crypto, so that what cannot be parsed again fails here. Its PEM ends in one newline.
  return new X509Certificate(toDer(certificate)).toString();
}

function signatureAlgorithm(key: KeyObject): Node {
  if (key.asymmetricKeyType === 'ec') return sequence(oid(OID.ecdsaWithSha256));
  if (key.asymmetricKeyType === 'rsa') return sequence(oid(OID.sha256WithRsa), nothing());
  throw new TypeError(
    `certificates are signed with RSA or EC keys, not with ${key.asymmetricKeyType ?? 'a secret'}`,
  );
}

/** A distinguished name that is one common name. */
export function nameOf(commonName: string): Node {
  return sequence(setOf(sequence(oid(OID.commonName), utf8(commonName))));
}
