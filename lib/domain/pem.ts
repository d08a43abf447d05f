/**
 * PEM text as people and programs write it. PURE.
 *
 * What nginx takes is taken: text around the blocks, keys and parameters beside the certificates, `X509 CERTIFICATE` and
 * `TRUSTED CERTIFICATE` (OpenSSL's own form, whose trust settings stand behind the certificate and are dropped).
 */

/** Base64 has no hyphen: a block that has no end is left after one pass, however many more begin. */
const BLOCK = /-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE)-----([^-]*)-----END \1-----/g;
const BEGIN = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----/g;
const ENCRYPTED = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m;
const LINE = /.{1,64}/g;

/** The certificates of a PEM text, one by one, each ended with a newline. Text around them is dropped. */
export function splitChain(pem: string): string[] {
  return Array.from(pem.matchAll(BLOCK), ([block, label, base64]) =>
    label === 'TRUSTED CERTIFICATE' ? withoutTrust(base64 ?? '') : plainLabel(`${block}\n`),
  );
}

/** Whether a certificate begins in the text that does not end. */
export function isCutOff(pem: string, blocks: readonly string[]): boolean {
  return (pem.match(BEGIN)?.length ?? 0) !== blocks.length;
}

/** Whether a private key is protected by a passphrase, which nobody is there to type. */
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
