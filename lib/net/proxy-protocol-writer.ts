/**
 * Writes the PROXY protocol header, version 1 or 2: tells a backend whose connection it gets. PURE.
 *
 * The protocol is HAProxy's (proxy-protocol.txt, 2020/03/05). Version 1 has room for the addresses only.
 */
import type { Endpoint } from './connection-info.js';
import { ipBytes, ipText, mappedBytes } from './ip-bytes.js';
import { SIGNATURE_V2 } from './proxy-protocol-parser.js';

/** What a backend is told of a connection. */
export interface ProxiedConnection {
  readonly client: Endpoint;
  readonly local: Endpoint;
  /** The protocol that ALPN has chosen. */
  readonly alpn?: string;
  readonly serverName?: string;
  /** Absent: the connection came without TLS. */
  readonly tls?: {
    /** `TLSv1.3` and the like. */
    readonly version: string;
    /** OpenSSL's name of the cipher. */
    readonly cipher: string;
  };
  /** At most 128 bytes. */
  readonly uniqueId?: Buffer;
}

const VERSION_2_PROXY = 0x21;
const UNSPEC = 0x00;
const TCP4 = 0x11;
const TCP6 = 0x21;

const TLV_ALPN = 0x01;
const TLV_AUTHORITY = 0x02;
const TLV_UNIQUE_ID = 0x05;
const TLV_SSL = 0x20;
const TLV_SSL_VERSION = 0x21;
const TLV_SSL_CIPHER = 0x23;
/** The client is connected over TLS; it has given no certificate. */
const CLIENT_SSL = 0x01;
/** Zero would mean that the client has given a certificate and that it was verified. */
const NOT_VERIFIED = [0, 0, 0, 1];

/** The header in the version that is asked for. */
export function buildProxyHeader(version: 'v1' | 'v2', connection: ProxiedConnection): Buffer {
  return version === 'v1' ? buildVersion1(connection) : buildVersion2(connection);
}

function buildVersion1(connection: ProxiedConnection): Buffer {
  const addresses = addressBytes(connection);
  if (addresses === undefined) return Buffer.from('PROXY UNKNOWN\r\n');
  const [client, local] = addresses;
  const protocol = client.length === 4 ? 'TCP4' : 'TCP6';
  const ports = `${connection.client.port} ${connection.local.port}`;
  return Buffer.from(`PROXY ${protocol} ${ipText(client)} ${ipText(local)} ${ports}\r\n`);
}

function buildVersion2(connection: ProxiedConnection): Buffer {
  const addresses = addressBytes(connection);
  const body = Buffer.concat([
    ...(addresses ?? []),
    ...(addresses ? ports(connection) : []),
    tlvs(connection),
  ]);
  const family = addresses === undefined ? UNSPEC : addresses[0].length === 4 ? TCP4 : TCP6;
  return Buffer.concat([SIGNATURE_V2, Buffer.from([VERSION_2_PROXY, family]), u16(body.length), body]);
}

/** Client and local address, of one family; undefined on a unix socket, which has none. */
function addressBytes({ client, local }: ProxiedConnection): [Buffer, Buffer] | undefined {
  const from = ipBytes(client.address);
  const to = ipBytes(local.address);
  if (from === undefined || to === undefined) return undefined;
  return from.length === to.length ? [from, to] : [mappedBytes(from), mappedBytes(to)];
}

function ports({ client, local }: ProxiedConnection): Buffer[] {
  return [u16(client.port), u16(local.port)];
}

function tlvs({ alpn, serverName, tls, uniqueId }: ProxiedConnection): Buffer {
  const parts: Buffer[] = [];
  if (alpn !== undefined) parts.push(tlv(TLV_ALPN, Buffer.from(alpn, 'latin1')));
  if (serverName !== undefined) parts.push(tlv(TLV_AUTHORITY, Buffer.from(serverName)));
  if (uniqueId !== undefined) parts.push(tlv(TLV_UNIQUE_ID, uniqueId));
  if (tls !== undefined) {
    const head = Buffer.from([CLIENT_SSL, ...NOT_VERIFIED]);
    const version = tlv(TLV_SSL_VERSION, Buffer.from(tls.version));
    const cipher = tlv(TLV_SSL_CIPHER, Buffer.from(tls.cipher));
    parts.push(tlv(TLV_SSL, Buffer.concat([head, version, cipher])));
  }
  return Buffer.concat(parts);
}

function tlv(type: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type]), u16(value.length), value]);
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}
