/**
 * Reads the PROXY protocol header, version 1 or 2, at the start of a stream: the addresses that a proxy before us has seen.
 *
 * PURE. The caller gathers the bytes of the connection and asks again as they arrive; nothing is consumed and nothing is
 * kept between two calls. Bad input is an answer (`invalid`), never an exception. No more than `MAX_PROXY_HEADER_BYTES`
 * have to be gathered: by then the answer is no longer `incomplete`.
 *
 * The protocol is HAProxy's (proxy-protocol.txt, 2020/03/05). Of version 2 the addresses are read; what comes behind them
 * (TLVs, a checksum among them) is for those who know its sender and is skipped.
 */
import { isIPv4, isIPv6 } from 'node:net';
import type { Endpoint } from './connection-info.js';
import { plainAddress } from './connection-info.js';
import { ipText, plainIpv6 } from './ip-bytes.js';

/** The longest header that is read. Version 2 allows 64 KiB, which no sender uses. */
export const MAX_PROXY_HEADER_BYTES = 16 * 1024;

/** What the bytes at the start of a stream are. */
export type ProxyHeaderResult =
  /** Too early to tell. The answer does not change before there are `needBytes` bytes in all. */
  | { readonly kind: 'incomplete'; readonly needBytes: number }
  | ProxyHeader
  /** `reason` is one clause for a log line; it quotes none of the peer's bytes. */
  | { readonly kind: 'invalid'; readonly reason: string };

export interface ProxyHeader {
  readonly kind: 'header';
  /** What follows these bytes is the connection itself. */
  readonly consumedBytes: number;
  /**
   * Whose connection it is. Absent where the sender speaks for itself (LOCAL, health checks for example) or does not know
   * (UNKNOWN, a protocol without such addresses): the connection's own addresses stand then. The addresses of unix sockets
   * are empty and their ports 0.
   */
  readonly peers?: { readonly source: Endpoint; readonly destination: Endpoint };
}

/** Whether a header names the client by an address. */
export function namesClient({ peers }: ProxyHeader): boolean {
  return peers !== undefined && peers.source.address !== '';
}

export const SIGNATURE_V2 = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const SIGNATURE_V1 = Buffer.from('PROXY ', 'latin1');
/** The longest line of version 1, CRLF included. */
const MAX_LINE_BYTES = 107;
const HEAD_V2_BYTES = 16;

const COMMAND_LOCAL = 0;
const COMMAND_PROXY = 1;
/** Family and transport in one byte. */
const TCP4 = 0x11;
const TCP6 = 0x21;
const UNIX_STREAM = 0x31;
/** The size of one unix socket address. */
const UNIX_PATH_BYTES = 108;

const invalid = (reason: string): ProxyHeaderResult => ({ kind: 'invalid', reason });

/**
 * Says what the bytes at the start of a stream are.
 *
 * @param bytes everything received so far. Bytes behind the header do not matter.
 */
export function parseProxyHeader(bytes: Buffer): ProxyHeaderResult {
  if (startsLike(bytes, SIGNATURE_V2)) return parseVersion2(bytes);
  if (startsLike(bytes, SIGNATURE_V1)) return parseVersion1(bytes);
  return invalid('no PROXY protocol header, although this peer must send one');
}

/** Whether the bytes are the signature, or as much of it as has come. */
function startsLike(bytes: Buffer, signature: Buffer): boolean {
  const length = Math.min(bytes.length, signature.length);
  return bytes.subarray(0, length).equals(signature.subarray(0, length));
}

function parseVersion1(bytes: Buffer): ProxyHeaderResult {
  const end = bytes.subarray(0, MAX_LINE_BYTES).indexOf('\r\n', 0, 'latin1');
  if (end === -1) {
    if (bytes.length >= MAX_LINE_BYTES) return invalid('a PROXY line that is too long');
    return { kind: 'incomplete', needBytes: bytes.length + 1 };
  }
  const consumedBytes = end + 2;
  const [protocol, ...fields] = bytes.toString('latin1', SIGNATURE_V1.length, end).split(' ');
  // The specification says to ignore the rest of the line.
  if (protocol === 'UNKNOWN') return { kind: 'header', consumedBytes };
  const isAddress = protocol === 'TCP4' ? isIPv4 : protocol === 'TCP6' ? isIPv6 : undefined;
  if (isAddress === undefined) return invalid('a PROXY line for an unknown protocol');
  const [source = '', destination = '', sourcePort = '', destinationPort = ''] = fields;
  if (fields.length !== 4) return invalid('a PROXY line with a wrong number of fields');
  if (![source, destination].every((text) => isAddress(text) && !text.includes('%'))) {
    return invalid('a PROXY line with a wrong address');
  }
  if (![sourcePort, destinationPort].every(isPort)) return invalid('a PROXY line with a wrong port');
  const plain = (text: string): string => plainAddress(protocol === 'TCP6' ? plainIpv6(text) : text);
  return {
    kind: 'header',
    consumedBytes,
    peers: {
      source: { address: plain(source), port: Number(sourcePort) },
      destination: { address: plain(destination), port: Number(destinationPort) },
    },
  };
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 0xffff;
}

function parseVersion2(bytes: Buffer): ProxyHeaderResult {
  const [versionAndCommand, family] = bytes.subarray(SIGNATURE_V2.length);
  if (versionAndCommand !== undefined && versionAndCommand >> 4 !== 2) {
    return invalid('a binary PROXY header whose version is not 2');
  }
  if (bytes.length < HEAD_V2_BYTES) {
    const isSignature = versionAndCommand === undefined;
    return { kind: 'incomplete', needBytes: isSignature ? bytes.length + 1 : HEAD_V2_BYTES };
  }
  const command = (versionAndCommand ?? 0) & 0x0f;
  if (command !== COMMAND_LOCAL && command !== COMMAND_PROXY) {
    return invalid('a PROXY header with an unknown command');
  }
  const consumedBytes = HEAD_V2_BYTES + bytes.readUInt16BE(14);
  if (consumedBytes > MAX_PROXY_HEADER_BYTES) return invalid('a PROXY header longer than 16 KiB');
  if (bytes.length < consumedBytes) return { kind: 'incomplete', needBytes: consumedBytes };
  if (command === COMMAND_LOCAL) return { kind: 'header', consumedBytes };
  return readAddresses(family ?? 0, bytes.subarray(HEAD_V2_BYTES, consumedBytes), consumedBytes);
}

function readAddresses(family: number, body: Buffer, consumedBytes: number): ProxyHeaderResult {
  if (family >> 4 > 3 || (family & 0x0f) > 2) return invalid('a PROXY header of an unknown address family');
  if (family === UNIX_STREAM) {
    if (body.length < 2 * UNIX_PATH_BYTES) return invalid('a PROXY header too short for its addresses');
    const nobody = { address: '', port: 0 };
    return { kind: 'header', consumedBytes, peers: { source: nobody, destination: nobody } };
  }
  const size = family === TCP4 ? 4 : family === TCP6 ? 16 : undefined;
  // Families that are valid but do not belong to a stream (UNSPEC, datagrams): their addresses are skipped.
  if (size === undefined) return { kind: 'header', consumedBytes };
  if (body.length < 2 * size + 4) return invalid('a PROXY header too short for its addresses');
  const endpoint = (index: 0 | 1): Endpoint => ({
    address: plainAddress(ipText(body.subarray(index * size, (index + 1) * size))),
    port: body.readUInt16BE(2 * size + 2 * index),
  });
  return { kind: 'header', consumedBytes, peers: { source: endpoint(0), destination: endpoint(1) } };
}
