/**
 * Certificates as nobody should issue them, and keys as nobody should make them. Their signature is nothing: what is tested
 * looks at the certificate alone.
 */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { CertificatePair } from '../../../lib/domain/certificate.js';
import {
  binary,
  bits,
  explicit,
  fromDer,
  implicit,
  integer,
  octets,
  oid,
  sequence,
  setOf,
  time,
  toDer,
  utf8,
} from '../../../lib/pki/der.js';

const OID = { commonName: '2.5.4.3', subjectAltName: '2.5.29.17', ecdsaWithSha256: '1.2.840.10045.4.3.2' };

export interface OddOptions {
  /** Absent: an empty subject. */
  readonly commonName?: string;
  /** Absent: no alternative names. */
  readonly names?: readonly string[];
  /** Put in place of the notAfter, which is written `300101000000Z`. */
  readonly notAfter?: string;
}

export function oddCertificate({ commonName, names, notAfter }: OddOptions): CertificatePair {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const named = (text: string) => sequence(setOf(sequence(oid(OID.commonName), utf8(text))));
  const algorithm = () => sequence(oid(OID.ecdsaWithSha256));
  const san = () => sequence(...(names ?? []).map((name) => implicit(2, name)));
  const body = sequence(
    explicit(0, integer('\x02')),
    integer('\x01'),
    algorithm(),
    named('Odd Issuer'),
    sequence(time(Date.UTC(2020, 0, 1)), time(Date.UTC(2030, 0, 1))),
    commonName === undefined ? sequence() : named(commonName),
    fromDer(publicKey.export({ type: 'spki', format: 'der' })),
    ...(names === undefined
      ? []
      : [explicit(3, sequence(sequence(oid(OID.subjectAltName), octets(binary(toDer(san()))))))]),
  );
  const der = toDer(sequence(body, algorithm(), bits('no signature'))).toString('latin1');
  const changed = notAfter === undefined ? der : der.replace('300101000000Z', notAfter);
  return { chainPem: pemOf(Buffer.from(changed, 'latin1')), keyPem: keyPemOf(privateKey) };
}

function pemOf(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

function keyPemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}
