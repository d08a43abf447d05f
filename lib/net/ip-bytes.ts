/**
 * IP addresses as the bytes of the wire. PURE.
 */
import { isIPv4, isIPv6, SocketAddress } from 'node:net';

/** The 4 or 16 bytes of an address; undefined for an invalid one. A zone (`fe80::1%eth0`) is left out. */
export function ipBytes(address: string): Buffer | undefined {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  if (!isIPv6(address)) return undefined;
  const [head = '', tail] = address.replace(/%.*/, '').split('::');
  const before = groupBytes(head);
  if (tail === undefined) return Buffer.from(before);
  const after = groupBytes(tail);
  return Buffer.from([...before, ...new Array<number>(16 - before.length - after.length).fill(0), ...after]);
}

/** 16 bytes for either family: IPv4 is mapped (`::ffff:192.0.2.1`). */
export function mappedBytes(address: Buffer): Buffer {
  if (address.length === 16) return address;
  return Buffer.concat([Buffer.alloc(10), Buffer.from([0xff, 0xff]), address]);
}

/** The shortest text of an address of 4 or 16 bytes (RFC 5952). */
export function ipText(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i).toString(16));
  return plainIpv6(groups.join(':'));
}

/** An IPv6 address in its shortest text. */
export function plainIpv6(address: string): string {
  return new SocketAddress({ address, family: 'ipv6' }).address;
}

function groupBytes(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

const IPV6_BYTES = 16;
/** A host is usually given a whole /64. */
const IPV6_PREFIX_BYTES = 8;

/** What counts as one client where clients share something: an IPv4 address, or the /64 of an IPv6 address. */
export function clientGroup(address: string): string {
  const bytes = address.includes(':') ? ipBytes(address) : undefined;
  if (bytes?.length !== IPV6_BYTES) return address;
  const prefix = Buffer.alloc(IPV6_BYTES);
  bytes.copy(prefix, 0, 0, IPV6_PREFIX_BYTES);
  return `${ipText(prefix)}/64`;
}
