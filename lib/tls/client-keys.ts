/**
 * Which kinds of keys a client can use, as far as its ClientHello says so.
 *
 * PURE, and asked only where a name's certificate has one kind of key; a hello in one record is read without making an object. When
 * in doubt a client can: only a certain no leads to a look-up.
 *
 *  - TLS 1.3: by signature_algorithms alone (RFC 8446 §4.2.3). Its PKCS#1 signatures are for certificates, not for handshakes.
 *  - TLS 1.2: by the cipher suites that `secure-context.ts` has, and by signature_algorithms where it is there (RFC 5246 §7.4.1.4.1). RSA
 *    key exchange needs no signature. ECDSA needs the certificate's curve among the client's groups (RFC 8422 §5.3), which OpenSSL
 *    insists on.
 */
import type { KeyKind } from '../domain/key-class.js';
import {
  endOfVector16,
  endOfVector8,
  EXTENSION_GROUPS,
  EXTENSION_SIGNATURES,
  EXTENSION_VERSIONS,
  HANDSHAKE_HEADER_BYTES,
  handshakeMessage,
  NONE,
  RECORD_HEADER_BYTES,
  VERSION_AND_RANDOM_BYTES,
} from './client-hello.js';

/** Those of `CIPHER_SUITES` for TLS 1.2, by their numbers at IANA. */
export const ECDSA_SUITES: readonly number[] = [0xc02b, 0xc02c, 0xcca9];
export const RSA_SIGNATURE_SUITES: readonly number[] = [0xc02f, 0xc030, 0xcca8];
export const RSA_KEY_EXCHANGE_SUITES: readonly number[] = [0x009c, 0x009d];

const VERSION_1_3: readonly number[] = [0x0304];
/** P-256 and P-384: the curves of what counts as an ECDSA certificate. */
const ECDSA_GROUPS: readonly number[] = [23, 24];
/** ecdsa_secp256r1_sha256 and ecdsa_secp384r1_sha384. */
const ECDSA_1_3: readonly number[] = [0x0403, 0x0503];
/** With SHA-1, SHA-224, SHA-256, SHA-384 and SHA-512. */
const ECDSA_1_2: readonly number[] = [0x0203, 0x0303, 0x0403, 0x0503, 0x0603];
/** rsa_pss_rsae_sha256, -384 and -512. */
const RSA_1_3: readonly number[] = [0x0804, 0x0805, 0x0806];
/** PKCS#1 as well, with the same five hashes. */
const RSA_1_2: readonly number[] = [0x0201, 0x0301, 0x0401, 0x0501, 0x0601, 0x0804, 0x0805, 0x0806];

/**
 * Whether a client can use a certificate with a key of this kind.
 *
 * @param bytes the connection's first bytes, with a ClientHello that `parseClientHello` has found whole and right.
 */
export function canUseKey(bytes: Buffer, kind: KeyKind): boolean {
  const inRecord = bytes.readUInt16BE(RECORD_HEADER_BYTES - 2);
  if (inRecord >= HANDSHAKE_HEADER_BYTES) {
    const length = HANDSHAKE_HEADER_BYTES + bytes.readUIntBE(RECORD_HEADER_BYTES + 1, 3);
    if (length <= inRecord) return canUse(bytes, RECORD_HEADER_BYTES, RECORD_HEADER_BYTES + length, kind);
  }
  const message = handshakeMessage(bytes);
  return canUse(message, 0, message.length, kind);
}

/** The same for a handshake message from `start` to `end`. */
function canUse(bytes: Buffer, start: number, end: number, kind: KeyKind): boolean {
  const suites = endOfVector8(bytes, start + HANDSHAKE_HEADER_BYTES + VERSION_AND_RANDOM_BYTES, end);
  const suitesEnd = suites === NONE ? NONE : endOfVector16(bytes, suites, end);
  const extensions = suitesEnd === NONE ? NONE : endOfVector8(bytes, suitesEnd, end);
  if (extensions === NONE) return true;
  let signatures = NONE;
  let groups = NONE;
  let isTls13 = false;
  for (let at = extensions + 2; at < end;) {
    const dataEnd = endOfVector16(bytes, at + 2, end);
    if (dataEnd === NONE) return true;
    const type = numberAt(bytes, at);
    // Behind the length of the extension, and that of the list in it.
    if (type === EXTENSION_SIGNATURES) signatures = at + 4;
    else if (type === EXTENSION_GROUPS) groups = at + 4;
    else if (type === EXTENSION_VERSIONS) isTls13 = holdsAny(bytes, at + 5, dataEnd, VERSION_1_3);
    at = dataEnd;
  }
  const isRsa = kind === 'rsa';
  if (isTls13)
    return signatures === NONE || listHoldsAny(bytes, signatures, end, isRsa ? RSA_1_3 : ECDSA_1_3);
  if (isRsa && holdsAny(bytes, suites + 2, suitesEnd, RSA_KEY_EXCHANGE_SUITES)) return true;
  return (
    holdsAny(bytes, suites + 2, suitesEnd, isRsa ? RSA_SIGNATURE_SUITES : ECDSA_SUITES) &&
    (signatures === NONE || listHoldsAny(bytes, signatures, end, isRsa ? RSA_1_2 : ECDSA_1_2)) &&
    (isRsa || groups === NONE || listHoldsAny(bytes, groups, end, ECDSA_GROUPS))
  );
}

/** Whether the list whose length is at `at` holds one of these numbers of two octets. When it does not fit: true. */
function listHoldsAny(bytes: Buffer, at: number, end: number, wanted: readonly number[]): boolean {
  const listEnd = endOfVector16(bytes, at, end);
  return listEnd === NONE || holdsAny(bytes, at + 2, listEnd, wanted);
}

function holdsAny(bytes: Buffer, start: number, end: number, wanted: readonly number[]): boolean {
  for (let at = start; at + 2 <= end; at += 2) {
    if (wanted.includes(numberAt(bytes, at))) return true;
  }
  return false;
}

/** A number of two octets, without the checks of `readUInt16BE`: with it the whole takes a half more. */
function numberAt(bytes: Buffer, at: number): number {
  return (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0);
}
