/**
 * Mints certificates: roots, leaves below them, and self-signed ones.
 *
 * Keys and signatures come from `node:crypto`; node-forge writes the ASN.1 only, as its own certificate builder knows
 * RSA alone. Keys are ECDSA on P-256 or RSA of 2048 bits; every signature uses SHA-256. Certificates are X.509 v3 as in
 * RFC 5280: random positive 16-byte serial numbers, the names in the subject alternative names, key identifiers to
 * build the chain by. Nothing here reads a clock or a disk: allowing for clients whose clock is behind is the caller's
 * matter.
 */
import {
  createHash,
  createPrivateKey,
  generateKeyPair,
  randomBytes,
  sign,
  X509Certificate,
  type KeyObject,
} from 'node:crypto';
import { isIP } from 'node:net';
import { promisify } from 'node:util';
import type { CertificatePair } from '../domain/certificate.js';
import {
  binary,
  bits,
  explicit,
  fromDer,
  implicit,
  integer,
  ipOctets,
  isTagged,
  members,
  nothing,
  octets,
  oid,
  sequence,
  setOf,
  time,
  toDer,
  utf8,
  yes,
  type Node,
} from './der.js';

export type KeyType = 'ec' | 'rsa';

export interface GeneratedKey {
  /** PKCS#8. */
  readonly privateKeyPem: string;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** A certificate that may sign others, with its key. Both PEM. */
export interface Authority {
  readonly certPem: string;
  readonly keyPem: string;
}

/** From when to when, milliseconds since 1970. Certificates know whole seconds: the rest is cut off. */
export interface Validity {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

const OID = {
  commonName: '2.5.4.3',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  sha256WithRsa: '1.2.840.113549.1.1.11',
} as const;

/** X.520: a common name has at most 64 characters. Longer names stand in the alternative names alone. */
const MAX_COMMON_NAME = 64;

/** Key usages as RFC 5280 §4.2.1.3 numbers their bits, all within the first octet. */
const DIGITAL_SIGNATURE = 0x80;
const KEY_ENCIPHERMENT = 0x20;
const KEY_CERT_SIGN = 0x04;
const CRL_SIGN = 0x02;

const generate = promisify(generateKeyPair);

/** Generates a key off the main thread. RSA takes some hundred milliseconds, ECDSA less than one. */
export async function generateKey(type: KeyType = 'ec'): Promise<GeneratedKey> {
  const { publicKey, privateKey } =
    type === 'rsa'
      ? await generate('rsa', { modulusLength: 2048 })
      : await generate('ec', { namedCurve: 'P-256' });
  const privateKeyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { privateKeyPem, publicKey, privateKey };
}

/** Mints a self-signed authority, valid for `validityMs` from `nowMs` on. */
export function mintRoot(options: {
  readonly commonName: string;
  readonly key: GeneratedKey;
  readonly nowMs: number;
  readonly validityMs: number;
}): Authority {
  const { commonName, key, nowMs, validityMs } = options;
  const subject = nameOf(commonName);
  const certPem = build({
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
  const certPem = build({
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
  const leafPem = build({
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
  const chainPem = build({
    subject,
    publicKey: key.publicKey,
    signer: ownSigner(subject, key),
    validity: options,
    extensions: serverExtensions(names, key.publicKey, false),
  });
  return { chainPem, keyPem: key.privateKeyPem };
}

interface Signer {
  readonly subject: Node;
  readonly privateKey: KeyObject;
  /** The octets of its subject key identifier. */
  readonly keyId: string;
}

function ownSigner(subject: Node, key: GeneratedKey): Signer {
  return { subject, privateKey: key.privateKey, keyId: keyIdOf(key.publicKey) };
}

function signerOf(issuer: Authority): Signer {
  const cert = new X509Certificate(issuer.certPem);
  const tbs = members(members(fromDer(cert.raw))[0]);
  const subject = tbs[5];
  if (subject === undefined) throw new TypeError('the issuer is not an X.509 v3 certificate');
  return {
    subject,
    privateKey: createPrivateKey(issuer.keyPem),
    // Others compute it in other ways than this module: what the issuer declares counts.
    keyId: declaredKeyId(tbs) ?? keyIdOf(cert.publicKey),
  };
}

function declaredKeyId(tbs: readonly Node[]): string | undefined {
  const wanted = oid(OID.subjectKeyIdentifier).value;
  const extensions = members(members(tbs.find((part) => isTagged(part, 3)))[0]);
  const declared = extensions.find((entry) => members(entry)[0]?.value === wanted);
  const content = members(declared).at(-1)?.value;
  if (typeof content !== 'string') return undefined;
  const keyId = fromDer(Buffer.from(content, 'binary')).value;
  return typeof keyId === 'string' ? keyId : undefined;
}

/** The key identifier of RFC 7093 §2 (4): the leftmost 160 bits of the SHA-256 over the public key's DER. */
function keyIdOf(publicKey: KeyObject): string {
  return binary(createHash('sha256').update(spki(publicKey)).digest().subarray(0, 20));
}

function spki(publicKey: KeyObject): Buffer {
  return publicKey.export({ type: 'spki', format: 'der' });
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

/** Certificate and TBSCertificate of RFC 5280 §4.1. */
function build(parts: {
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
    explicit(
      3,
      sequence(
        ...extensions,
        extension(OID.subjectKeyIdentifier, octets(keyIdOf(publicKey))),
        extension(OID.authorityKeyIdentifier, sequence(implicit(0, signer.keyId))),
      ),
    ),
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

function authorityExtensions(pathLength: 0 | undefined): Node[] {
  return [
    extension(
      OID.basicConstraints,
      pathLength === undefined ? sequence(yes()) : sequence(yes(), integer('\0')),
      'critical',
    ),
    extension(OID.keyUsage, usage(KEY_CERT_SIGN | CRL_SIGN), 'critical'),
  ];
}

function serverExtensions(names: readonly string[], publicKey: KeyObject, noSubject: boolean): Node[] {
  if (names.length === 0) throw new RangeError('a server certificate needs at least one name');
  // Only RSA knows a key exchange that encrypts to the certificate's key.
  const isRsa = publicKey.asymmetricKeyType === 'rsa';
  const alternatives = names.map((name) =>
    isIP(name) === 0 ? implicit(2, name) : implicit(7, ipOctets(name)),
  );
  return [
    extension(OID.basicConstraints, sequence(), 'critical'),
    extension(
      OID.keyUsage,
      usage(isRsa ? DIGITAL_SIGNATURE | KEY_ENCIPHERMENT : DIGITAL_SIGNATURE),
      'critical',
    ),
    extension(OID.extendedKeyUsage, sequence(oid(OID.serverAuth))),
    // Without a subject the alternative names are all there is, and critical (RFC 5280 §4.2.1.6).
    extension(OID.subjectAltName, sequence(...alternatives), noSubject ? 'critical' : undefined),
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

function nameOf(commonName: string): Node {
  return sequence(setOf(sequence(oid(OID.commonName), utf8(commonName))));
}
