/**
 * Reads the private key of a certificate, as people and programs store it, and says why it cannot be read. PURE.
 */
import { createPrivateKey, type KeyObject, type X509Certificate } from 'node:crypto';
import { bareReturnsClause, isEncrypted, kindOf, privateKeyBlock } from './pem.js';

export interface PrivateKey {
  readonly object: KeyObject;
  /** What OpenSSL takes: the text as it came, or where OpenSSL does not take that, the block of the key alone. */
  readonly pem: string;
}

/** Reads a private key. @returns the key; or why it cannot be used, in one clause that holds nothing of it. */
export function readPrivateKey(keyPem: string): PrivateKey | string {
  if (isEncrypted(keyPem)) return 'the private key is encrypted: store it without a passphrase';
  const object = parseKey(keyPem);
  if (object !== undefined) return { object, pem: keyPem };
  // OpenSSL fails where a certificate begins on the last line of the key: it gets the block of the key alone.
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
      : `the private key cannot be parsed${bareReturnsClause(keyPem)}`;
  }
  return kind === undefined
    ? 'the private key cannot be parsed'
    : `the private key cannot be parsed: it is ${kind}`;
}

function parseKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}

export function isKeyOf(key: KeyObject, certificate: X509Certificate): boolean {
  try {
    return certificate.checkPrivateKey(key);
  } catch {
    // The certificate has a public key of a kind that OpenSSL does not know.
    return false;
  }
}
