/**
 * Malformed ClientHellos, and what nginx answers to each.
 *
 * The alerts were recorded from Debian's nginx 1.22.1 with OpenSSL 3.0.19 (`listen … ssl http2`, TLS 1.2 and 1.3, an ECDSA
 * certificate), which got these bytes over TCP. Where it waits for the rest of what it will refuse, the bytes are whole here.
 */
import {
  craft,
  craftWith,
  extension,
  frame,
  hostName,
  message,
  serverNames,
  u16,
  vector16,
} from './client-hello-bytes.js';

/** RFC 8446 §6. */
const UNEXPECTED_MESSAGE = 10;
const RECORD_OVERFLOW = 22;
const ILLEGAL_PARAMETER = 47;
const DECODE_ERROR = 50;
const PROTOCOL_VERSION = 70;
const UNRECOGNIZED_NAME = 112;

/** OpenSSL's own verdict: later ones find it malformed. */
const NO_SUITES = process.versions.openssl.startsWith('3.0.') ? ILLEGAL_PARAMETER : DECODE_ERROR;

const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const list = (...octets: number[]): Buffer => vector16(Buffer.from(octets));
const alpn = (...octets: number[]): Buffer => extension(16, list(...octets));
const VERSION_AND_RANDOM = Buffer.concat([u16(0x0303), Buffer.alloc(32, 7)]);
/** A ClientHello that ends with these octets, behind its random. */
const ending = (...octets: number[]): Buffer =>
  frame(message(Buffer.concat([VERSION_AND_RANDOM, Buffer.from(octets)])));
const GOOD = craft(vector16(serverNames(hostName('a.test'))));
/** The start of a good one, and then this. */
const interrupted = (by: string): Buffer => Buffer.concat([frame(GOOD.subarray(0, 9)), hex(by)]);

export const MALFORMED_HELLOS: readonly (readonly [string, Buffer, number])[] = [
  ['no body', frame(message(Buffer.alloc(0))), DECODE_ERROR],
  ['nothing behind its version', frame(message(u16(0x0303))), DECODE_ERROR],
  ['no session id', ending(), DECODE_ERROR],
  ['a session id that ends too early', ending(32, 1, 2), DECODE_ERROR],
  ['no cipher suites', ending(0), DECODE_ERROR],
  ['cipher suites that end too early', ending(0, 0, 9, 1), DECODE_ERROR],
  ['an odd number of octets of cipher suites', ending(0, 0, 3, 0x13, 0x01, 0x13, 1, 0), DECODE_ERROR],
  ['an empty list of cipher suites', ending(0, 0, 0, 1, 0), NO_SUITES],
  ['no compression methods', ending(0, 0, 2, 0x13, 0x01), DECODE_ERROR],
  ['compression methods that end too early', ending(0, 0, 2, 0x13, 0x01, 5, 0), DECODE_ERROR],
  ['one octet of extensions', frame(craft(hex('00'))), DECODE_ERROR],
  ['extensions longer than the message', frame(craft(hex('000900'))), DECODE_ERROR],
  ['bytes after the extensions', frame(craft(hex('000009'))), DECODE_ERROR],
  ['half an extension', frame(craft(vector16(hex('000000')))), DECODE_ERROR],
  ['an extension longer than their block', frame(craft(vector16(hex('abcd000500')))), DECODE_ERROR],
  ['an extension without a list of server names', craftWith(extension(0, Buffer.alloc(0))), DECODE_ERROR],
  ['an empty list of server names', craftWith(serverNames()), DECODE_ERROR],
  ['a server name longer than its list', craftWith(extension(0, list(0, 0, 9, 97))), DECODE_ERROR],
  ['bytes after the list of server names', craftWith(extension(0, hex('000400000161ff'))), DECODE_ERROR],
  ['two host names', craftWith(serverNames(hostName('a.test'), hostName('b.test'))), DECODE_ERROR],
  ['a server name of another kind', craftWith(serverNames(hostName('a.test', 7))), DECODE_ERROR],
  ['a host name of 300 octets', craftWith(serverNames(hostName('y'.repeat(300)))), UNRECOGNIZED_NAME],
  ['a host name with a zero octet', craftWith(serverNames(hostName('a\0b'))), UNRECOGNIZED_NAME],
  [
    'two server_name extensions',
    craftWith(serverNames(hostName('a.test')), serverNames(hostName('b.test'))),
    ILLEGAL_PARAMETER,
  ],
  ['an ALPN extension without a list', craftWith(extension(16, Buffer.alloc(0))), DECODE_ERROR],
  ['an empty ALPN list', craftWith(alpn()), DECODE_ERROR],
  ['an empty ALPN protocol', craftWith(alpn(0)), DECODE_ERROR],
  ['an ALPN protocol longer than its list', craftWith(alpn(9, 104)), DECODE_ERROR],
  ['two ALPN extensions', craftWith(alpn(2, 104, 50), alpn(2, 104, 50)), ILLEGAL_PARAMETER],
  [
    'two lists of groups',
    craftWith(extension(10, list(0, 23)), extension(10, list(0, 23))),
    ILLEGAL_PARAMETER,
  ],
  ['a record longer than OpenSSL takes', hex('160301ffff'), RECORD_OVERFLOW],
  [
    'a record of 16,385 bytes',
    Buffer.concat([hex('1603014001'), hex('01004000'), Buffer.alloc(16_381)]),
    RECORD_OVERFLOW,
  ],
  ['a ServerHello', frame(hex('0200000401020304')), UNEXPECTED_MESSAGE],
  ['a HelloRequest', frame(hex('00000000')), UNEXPECTED_MESSAGE],
  ['an alert in the middle', interrupted('15030100020228'), UNEXPECTED_MESSAGE],
  ['application data in the middle', interrupted('1703010003010203'), UNEXPECTED_MESSAGE],
  ['a ChangeCipherSpec in the middle', interrupted('140301000101'), UNEXPECTED_MESSAGE],
  ['a record of an unknown kind in the middle', interrupted('63030100020102'), UNEXPECTED_MESSAGE],
  ['a record of another version in the middle', interrupted('160201000401020304'), PROTOCOL_VERSION],
  ['a length of 131,397 bytes', frame(hex('01020145')), ILLEGAL_PARAMETER],
  ['a length of 16 MiB', frame(hex('01ffffff')), ILLEGAL_PARAMETER],
  ['the form of SSL 2', hex(`802e0100020015000000100100800700c0030080${'00'.repeat(40)}`), PROTOCOL_VERSION],
];
