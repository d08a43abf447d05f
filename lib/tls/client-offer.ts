/**
 * What a client has offered in its ClientHello, in words and short: for the line that says why its handshake failed.
 *
 * PURE, and only for failures: `client-hello.ts` reads what every handshake needs. Everything here is the client's own bytes,
 * so each list is cut, and no character passes that is not printable ASCII.
 */
import { shortList } from '../domain/short-list.js';
import {
  endOfVector16,
  endOfVector8,
  EXTENSION_GROUPS,
  EXTENSION_SIGNATURES,
  EXTENSION_VERSIONS,
  HANDSHAKE_HEADER_BYTES,
  handshakeMessage,
  parseClientHello,
  VERSION_AND_RANDOM_BYTES,
} from './client-hello.js';

/** Lists as one text, best first, their ends cut. A list that the client has not sent is absent. */
export interface Offer {
  readonly name?: string;
  /** `TLSv1.3,TLSv1.2`, or `up to TLSv1.1` of a client that names no versions one by one. */
  readonly versions?: string;
  /** OpenSSL's names; `0x....` for what has none here. */
  readonly ciphers?: string;
  /** The names of IANA's registry, as the next ones. */
  readonly groups?: string;
  readonly signatures?: string;
  readonly alpn?: string;
}

const MAX_LISTED = 12;
const MAX_PROTOCOLS = 8;
const MAX_PROTOCOL_LENGTH = 32;
/** RFC 1035 §2.3.4: no name is longer. */
const MAX_NAME_LENGTH = 255;

type Names = Readonly<Record<number, string>>;

const VERSIONS: Names = {
  0x0304: 'TLSv1.3',
  0x0303: 'TLSv1.2',
  0x0302: 'TLSv1.1',
  0x0301: 'TLSv1',
  0x0300: 'SSLv3',
};

/** What clients of the last fifteen years offer. */
const CIPHERS: Names = {
  0x1301: 'TLS_AES_128_GCM_SHA256',
  0x1302: 'TLS_AES_256_GCM_SHA384',
  0x1303: 'TLS_CHACHA20_POLY1305_SHA256',
  0xc02b: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  0xc02c: 'ECDHE-ECDSA-AES256-GCM-SHA384',
  0xc02f: 'ECDHE-RSA-AES128-GCM-SHA256',
  0xc030: 'ECDHE-RSA-AES256-GCM-SHA384',
  0xcca8: 'ECDHE-RSA-CHACHA20-POLY1305',
  0xcca9: 'ECDHE-ECDSA-CHACHA20-POLY1305',
  0xc009: 'ECDHE-ECDSA-AES128-SHA',
  0xc00a: 'ECDHE-ECDSA-AES256-SHA',
  0xc013: 'ECDHE-RSA-AES128-SHA',
  0xc014: 'ECDHE-RSA-AES256-SHA',
  0xc023: 'ECDHE-ECDSA-AES128-SHA256',
  0xc024: 'ECDHE-ECDSA-AES256-SHA384',
  0xc027: 'ECDHE-RSA-AES128-SHA256',
  0xc028: 'ECDHE-RSA-AES256-SHA384',
  0x009c: 'AES128-GCM-SHA256',
  0x009d: 'AES256-GCM-SHA384',
  0x002f: 'AES128-SHA',
  0x0035: 'AES256-SHA',
  0x003c: 'AES128-SHA256',
  0x003d: 'AES256-SHA256',
  0x0033: 'DHE-RSA-AES128-SHA',
  0x0039: 'DHE-RSA-AES256-SHA',
  0x0067: 'DHE-RSA-AES128-SHA256',
  0x006b: 'DHE-RSA-AES256-SHA256',
  0x009e: 'DHE-RSA-AES128-GCM-SHA256',
  0x009f: 'DHE-RSA-AES256-GCM-SHA384',
  0xccaa: 'DHE-RSA-CHACHA20-POLY1305',
  0x000a: 'DES-CBC3-SHA',
  0x0005: 'RC4-SHA',
};

const GROUPS: Names = {
  0x0017: 'secp256r1',
  0x0018: 'secp384r1',
  0x0019: 'secp521r1',
  0x001d: 'x25519',
  0x001e: 'x448',
  0x0100: 'ffdhe2048',
  0x0101: 'ffdhe3072',
  0x0102: 'ffdhe4096',
  0x0103: 'ffdhe6144',
  0x0104: 'ffdhe8192',
  0x11eb: 'SecP256r1MLKEM768',
  0x11ec: 'X25519MLKEM768',
  0x11ed: 'SecP384r1MLKEM1024',
};

const SIGNATURES: Names = {
  0x0201: 'rsa_pkcs1_sha1',
  0x0203: 'ecdsa_sha1',
  0x0401: 'rsa_pkcs1_sha256',
  0x0403: 'ecdsa_secp256r1_sha256',
  0x0501: 'rsa_pkcs1_sha384',
  0x0503: 'ecdsa_secp384r1_sha384',
  0x0601: 'rsa_pkcs1_sha512',
  0x0603: 'ecdsa_secp521r1_sha512',
  0x0804: 'rsa_pss_rsae_sha256',
  0x0805: 'rsa_pss_rsae_sha384',
  0x0806: 'rsa_pss_rsae_sha512',
  0x0807: 'ed25519',
  0x0808: 'ed448',
  0x0809: 'rsa_pss_pss_sha256',
  0x080a: 'rsa_pss_pss_sha384',
  0x080b: 'rsa_pss_pss_sha512',
  0x0904: 'mldsa44',
  0x0905: 'mldsa65',
  0x0906: 'mldsa87',
};

/** TLS_EMPTY_RENEGOTIATION_INFO_SCSV and TLS_FALLBACK_SCSV: no ciphers. */
const SIGNALS: readonly number[] = [0x00ff, 0x5600];

/**
 * Reads an offer.
 *
 * @param bytes what a connection began with, the whole ClientHello among it. Anything else gives an empty offer, or part of one.
 */
export function readOffer(bytes: Buffer): Offer {
  const hello = parseClientHello(bytes);
  if (hello.kind !== 'hello') return {};
  const { serverName, alpn } = hello;
  const message = handshakeMessage(bytes);
  const end = message.length;
  const legacyVersion = message.readUInt16BE(HANDSHAKE_HEADER_BYTES);
  // The parser has seen that every vector ends within the message.
  const suites = endOfVector8(message, HANDSHAKE_HEADER_BYTES + VERSION_AND_RANDOM_BYTES, end);
  const suitesEnd = endOfVector16(message, suites, end);
  const ciphers = codes(message.subarray(suites + 2, suitesEnd)).filter((code) => !SIGNALS.includes(code));
  const extensions = extensionsOf(message.subarray(endOfVector8(message, suitesEnd, end) + 2));
  const listOf = (type: number, lengthBytes: number): number[] =>
    codes((extensions.get(type) ?? Buffer.alloc(0)).subarray(lengthBytes));
  const versions = listOf(EXTENSION_VERSIONS, 1);
  return dropEmpty({
    name: serverName === undefined ? '' : printable(serverName, MAX_NAME_LENGTH),
    versions: versions.length === 0 ? `up to ${named(legacyVersion, VERSIONS)}` : listed(versions, VERSIONS),
    ciphers: listed(ciphers, CIPHERS),
    groups: listed(listOf(EXTENSION_GROUPS, 2), GROUPS),
    signatures: listed(listOf(EXTENSION_SIGNATURES, 2), SIGNATURES),
    alpn: shortList(
      alpn.map((protocol) => printable(protocol, MAX_PROTOCOL_LENGTH)),
      MAX_PROTOCOLS,
      ',',
    ),
  });
}

function extensionsOf(block: Buffer): Map<number, Buffer> {
  const extensions = new Map<number, Buffer>();
  for (let at = 0; at + 4 <= block.length;) {
    const end = at + 4 + block.readUInt16BE(at + 2);
    extensions.set(block.readUInt16BE(at), block.subarray(at + 4, end));
    at = end;
  }
  return extensions;
}

/** Codes of two octets, without those of RFC 8701 (GREASE), which mean nothing. */
function codes(bytes: Buffer): number[] {
  const list: number[] = [];
  for (let at = 0; at + 2 <= bytes.length; at += 2) {
    const code = bytes.readUInt16BE(at);
    const isGrease = (code & 0x0f0f) === 0x0a0a && code >> 8 === (code & 0xff);
    if (!isGrease) list.push(code);
  }
  return list;
}

function named(code: number, names: Names): string {
  return names[code] ?? `0x${code.toString(16).padStart(4, '0')}`;
}

function listed(list: readonly number[], names: Names): string {
  return shortList(
    list.map((code) => named(code, names)),
    MAX_LISTED,
    ',',
  );
}

/** @param text one character for each octet. */
function printable(text: string, maxLength: number): string {
  const clean = text.slice(0, maxLength).replaceAll(/[^\x21-\x7e]/g, '?');
  return text.length > maxLength ? `${clean}...` : clean;
}

function dropEmpty(offer: Required<Offer>): Offer {
  return Object.fromEntries(Object.entries(offer).filter(([, text]) => text !== ''));
}
