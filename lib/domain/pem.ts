/**
 * PEM text as people and programs write it. PURE.
 *
 * Whatever nginx reads is read: text around the blocks, keys and parameters beside the certificates, `X509 CERTIFICATE` and
 * `TRUSTED CERTIFICATE` (OpenSSL's own form, whose trust settings stand behind the certificate and are dropped).
 */

/** Base64 has no hyphen: a block without an end is given up at the next hyphen, so that matching takes one pass. */
const BLOCK = /-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE)-----([^-]*)-----END \1-----/g;
const BEGIN = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----/g;
const ENCRYPTED = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m;
const LINE = /.{1,64}/g;
const PRIVATE_KEY = /-----BEGIN ((?:[A-Z]+ )*PRIVATE KEY)-----[^-]*-----END \1-----/;
const LABELS = /-----BEGIN ([A-Z0-9 ]{1,40})-----/g;

/** Kinds of PEM blocks that people confuse, by the end of their label. The first that fits counts. */
const KINDS: readonly (readonly [labelEnd: string, what: string])[] = [
  ['CERTIFICATE REQUEST', 'a certificate request (CSR)'],
  ['OPENSSH PRIVATE KEY', 'an OpenSSH private key (to convert it: ssh-keygen -p -m PKCS8 -f FILE)'],
  ['PRIVATE KEY', 'a private key'],
  ['PUBLIC KEY', 'a public key'],
  ['CERTIFICATE', 'a certificate'],
  ['PKCS7', 'PKCS#7 (to convert it: openssl pkcs7 -print_certs)'],
  ['CRL', 'a revocation list'],
  ['PARAMETERS', 'parameters'],
];

/*
 * Binary files, decoded as UTF-8: invalid octets become U+FFFD. ASN.1 begins with a sequence (the character 0) and its
 * length; version 3 (RFC 7292 §4) behind that is PKCS#12.
 */
const PKCS12 = /^0(?:[^\x02]{1,5})\x02\x01\x03/;
const DER = /^0[^]*[\0\uFFFD]/;
const UTF16 = /^(?:\uFFFD\uFFFD|-\0-\0|\0-\0-)/;

/** The certificates of a PEM text, one by one, each ended with a newline. Text around them is dropped. */
export function splitChain(pem: string): string[] {
  return Array.from(pem.matchAll(BLOCK), ([block, label, base64]) =>
    label === 'TRUSTED CERTIFICATE' ? withoutTrust(base64 ?? '') : plainLabel(`${block}\n`),
  );
}

/** Whether a certificate begins in the text that does not end: there are fewer whole blocks than beginnings. */
export function isCutOff(pem: string, blocks: readonly string[]): boolean {
  return (pem.match(BEGIN)?.length ?? 0) !== blocks.length;
}

/**
 * What a text holds that should hold something else, for a message: the kind of its first PEM block, or of a file that is not PEM.
 * It quotes nothing of the text.
 *
 * @param pem the text, decoded as UTF-8.
 * @returns undefined where the kind is not known.
 */
export function kindOf(pem: string): string | undefined {
  if (PKCS12.test(pem)) return 'PKCS#12 (to convert it: openssl pkcs12 -nodes)';
  if (DER.test(pem))
    return 'DER (to convert it: openssl x509 -inform der, for a key openssl pkey -inform der)';
  if (UTF16.test(pem)) return 'UTF-16 text (to convert it: iconv -f utf-16 -t utf-8)';
  if (pem.startsWith('PuTTY-User-Key-File'))
    return 'a key of PuTTY (to convert it: puttygen -O private-openssh-pem)';
  const kinds = Array.from(pem.matchAll(LABELS), ([, label = '']) =>
    KINDS.find(([labelEnd]) => label.endsWith(labelEnd)),
  ).filter((kind) => kind !== undefined);
  // Parameters stand before the key that they belong to.
  return (kinds.find(([labelEnd]) => labelEnd !== 'PARAMETERS') ?? kinds[0])?.[1];
}

/** Why there is no certificate in a text: a clause that goes behind the name of the text. */
export function noCertificate(pem: string): string {
  const kind = kindOf(pem);
  if (kind === undefined) return 'holds no PEM certificate';
  return kind === 'a certificate'
    ? 'is cut off: its certificate does not end'
    : `holds no PEM certificate but ${kind}`;
}

/** Whether the lines of a text end in carriage returns alone, which no reader of PEM takes. */
export function hasBareReturns(pem: string): boolean {
  return /\r(?!\n)/.test(pem) && !pem.includes('\n');
}

/** Says that of a text which could not be parsed, as a clause to append; empty where it is not so. */
export function bareReturnsClause(pem: string): string {
  return hasBareReturns(pem) ? ': its lines end in carriage returns alone' : '';
}

/** The first private key of a text as a PEM block, whatever stands around it. */
export function privateKeyBlock(pem: string): string | undefined {
  return PRIVATE_KEY.exec(pem)?.[0];
}

/** Whether a private key is protected by a passphrase: nobody is there to type it. */
export function isEncrypted(keyPem: string): boolean {
  return ENCRYPTED.test(keyPem);
}

/** A certificate as a PEM block, ended with a newline. */
function certificatePem(der: Buffer): string {
  const lines = der.toString('base64').match(LINE) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

function plainLabel(block: string): string {
  return block.replaceAll('X509 CERTIFICATE', 'CERTIFICATE');
}

/** The first DER element alone: the certificate. */
function withoutTrust(base64: string): string {
  const der = Buffer.from(base64, 'base64');
  return certificatePem(der.subarray(0, derLength(der)));
}

/** The length of the DER element that begins a buffer, its own head included. */
function derLength(der: Buffer): number {
  const first = der[1] ?? 0;
  if (first < 0x80) return 2 + first;
  const octets = first & 0x7f;
  return octets > 4 || der.length < 2 + octets ? der.length : 2 + octets + der.readUIntBE(2, octets);
}
