/**
 * The extensions of the certificates that we make (RFC 5280 §4.2): of authorities, and of servers.
 */
import type { KeyObject } from 'node:crypto';
import { isIP } from 'node:net';
import {
  binary,
  bits,
  implicit,
  integer,
  ipOctets,
  octets,
  oid,
  sequence,
  toDer,
  yes,
  type Node,
} from './der.js';
import { keyIdOf } from './keys.js';

/** Their object identifiers. */
const EXTENSION = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
} as const;

const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';

/** Key usages as RFC 5280 §4.2.1.3 numbers their bits, all within the first octet. */
const DIGITAL_SIGNATURE = 0x80;
const KEY_ENCIPHERMENT = 0x20;
const KEY_CERT_SIGN = 0x04;
const CRL_SIGN = 0x02;

/** The extensions of an authority. @param pathLength 0: it signs leaves only; undefined: authorities below it too. */
export function authorityExtensions(pathLength: 0 | undefined): Node[] {
  return [
    extension(
      EXTENSION.basicConstraints,
      pathLength === undefined ? sequence(yes()) : sequence(yes(), integer('\0')),
      'critical',
    ),
    extension(EXTENSION.keyUsage, usage(KEY_CERT_SIGN | CRL_SIGN), 'critical'),
  ];
}

/**
 * The extensions of a server's certificate.
 *
 * @param noSubject the certificate has no subject: the names are all there is.
 * @throws RangeError for no names.
 */
export function serverExtensions(names: readonly string[], publicKey: KeyObject, noSubject: boolean): Node[] {
  if (names.length === 0) throw new RangeError('a server certificate needs at least one name');
  // Only RSA knows a key exchange that encrypts to the certificate's key.
  const isRsa = publicKey.asymmetricKeyType === 'rsa';
  const alternatives = names.map((name) =>
    isIP(name) === 0 ? implicit(2, name) : implicit(7, ipOctets(name)),
  );
  return [
    extension(EXTENSION.basicConstraints, sequence(), 'critical'),
    extension(
      EXTENSION.keyUsage,
      usage(isRsa ? DIGITAL_SIGNATURE | KEY_ENCIPHERMENT : DIGITAL_SIGNATURE),
      'critical',
    ),
    extension(EXTENSION.extendedKeyUsage, sequence(oid(SERVER_AUTH))),
    // Without a subject the alternative names are all there is, and critical (RFC 5280 §4.2.1.6).
    extension(EXTENSION.subjectAltName, sequence(...alternatives), noSubject ? 'critical' : undefined),
  ];
}

/** The identifiers of the certificate's own key and of its issuer's, to build a chain by. */
export function keyIdentifiers(publicKey: KeyObject, issuerKeyId: string): Node[] {
  return [
    extension(EXTENSION.subjectKeyIdentifier, octets(keyIdOf(publicKey))),
    extension(EXTENSION.authorityKeyIdentifier, sequence(implicit(0, issuerKeyId))),
  ];
}

function extension(id: string, value: Node, critical?: 'critical'): Node {
  const content = octets(binary(toDer(value)));
  return critical === undefined ? sequence(oid(id), content) : sequence(oid(id), yes(), content);
}

function usage(mask: number): Node {
  // DER leaves trailing zero bits out, and says how many of the octet are unused.
  return bits(String.fromCharCode(mask), Math.log2(mask & -mask));
}
