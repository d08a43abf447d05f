/**
 * Keys of certificates that we make ourselves: ECDSA on P-256, or RSA of 2048 bits.
 */
import { createHash, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { binary } from './der.js';

export type KeyType = 'ec' | 'rsa';

export interface GeneratedKey {
  /** PKCS#8. */
  readonly privateKeyPem: string;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

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

/** The key identifier of RFC 7093 §2 (4): the leftmost 160 bits of the SHA-256 over the public key's DER. */
export function keyIdOf(publicKey: KeyObject): string {
  return binary(createHash('sha256').update(spki(publicKey)).digest().subarray(0, 20));
}

/** The public key as DER: SubjectPublicKeyInfo of RFC 5280 §4.1. */
export function spki(publicKey: KeyObject): Buffer {
  return publicKey.export({ type: 'spki', format: 'der' });
}
