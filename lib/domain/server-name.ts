/**
 * Server names, normalised at one door.
 *
 * Everything that is looked up, cached or compared is a `ServerName`: lower case, without the trailing dot,
 * letters, digits, hyphens and underscores in labels of 1 to 63 octets, 253 octets in all (RFC 1035 §2.3.4,
 * RFC 6066 §3), and with a last label that is no number, decimal or hexadecimal. The last rule keeps out IPv4 addresses in
 * any notation (`127.1`, `0x7f000001`: the URL standard reads a host that ends in a number as one) and bare numbers, which
 * the manager would read as database ids and answer with another domain's key.
 */
import { isIP, isIPv4, isIPv6, SocketAddress } from 'node:net';

declare const serverNameBrand: unique symbol;

/**
 * A normalised host name, for example `www.example.com`. The one that is an IP address comes from `addressName` alone: certificates
 * for addresses are looked up and cached as those for names.
 */
export type ServerName = string & { readonly [serverNameBrand]: true };

const MAX_NAME_LENGTH = 253;
/** Labels neither begin nor end with a hyphen; the last one is no number. */
const NAME =
  /^(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*(?!(?:[0-9]+|0[xX][0-9a-fA-F]*)$)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/;

/**
 * Normalises a name as a client sent it.
 *
 * @param raw the name of the ClientHello, or of a Host header without its port.
 * @returns the normalised name, or undefined for anything that is not a host name.
 */
export function normaliseServerName(raw: string): ServerName | undefined {
  // The length is checked first: a client may send 60 KB of anything.
  if (raw.length === 0 || raw.length > MAX_NAME_LENGTH + 1) return undefined;
  const name = raw.endsWith('.') ? raw.slice(0, -1) : raw;
  if (name.length === 0 || name.length > MAX_NAME_LENGTH) return undefined;
  if (!NAME.test(name)) return undefined;
  // Only now: the Kelvin sign, among others, becomes an ASCII letter in lower case.
  return name.toLowerCase() as ServerName;
}

/**
 * Normalises a name that may be a wildcard, as certificates and the manager's expire requests have them:
 * `*.example.com`. Only the whole first label may be the star.
 */
export function normaliseDomain(raw: string): ServerName | undefined {
  if (!raw.startsWith('*.')) return normaliseServerName(raw);
  const parent = normaliseServerName(raw.slice(2));
  if (parent === undefined || parent.length + 2 > MAX_NAME_LENGTH) return undefined;
  return `*.${parent}` as ServerName;
}

/**
 * An IP address as the name of certificates for it: in its shortest text (RFC 5952), IPv4 where it is mapped into IPv6, without
 * a zone. For the local address of a connection, and for what stands in certificates; never for what a client sends as a name.
 *
 * @returns undefined for what is no address.
 */
export function addressName(address: string): ServerName | undefined {
  const mapped = /^::ffff:([\d.]+)$/i.exec(address)?.[1] ?? address;
  if (isIPv4(mapped)) return mapped as ServerName;
  if (!isIPv6(address)) return undefined;
  return new SocketAddress({ address: address.replace(/%.*/, ''), family: 'ipv6' }).address as ServerName;
}

/** Whether the name is an IP address. */
export function isAddress(name: ServerName): boolean {
  return isIP(name) !== 0;
}

/** Whether the name is a wildcard (`*.example.com`). */
export function isWildcard(name: ServerName): boolean {
  return name.startsWith('*.');
}

/**
 * The wildcard that covers a name: `*.example.com` for `www.example.com`. Undefined for a wildcard and an address, and where
 * the parent has one label only: nobody issues `*.com`.
 */
export function wildcardOf(name: ServerName): ServerName | undefined {
  if (isWildcard(name) || isAddress(name)) return undefined;
  const parent = name.slice(name.indexOf('.') + 1);
  return name.includes('.') && parent.includes('.') ? (`*.${parent}` as ServerName) : undefined;
}

/**
 * Whether a name matches a pattern of an allow-list: `example.com` matches itself alone, `*.example.com` every
 * name below it (at any depth), `*` everything.
 */
export function matchesPattern(name: ServerName, pattern: string): boolean {
  if (pattern === '*') return true;
  return pattern.startsWith('*.') ? name.endsWith(pattern.slice(1)) : name === pattern;
}

/** The names that a change of `names` concerns: these, and those of `known` that a wildcard among them covers. */
export function withThoseBelow(names: readonly ServerName[], known: Iterable<ServerName>): Set<ServerName> {
  const concerned = new Set(names);
  const wildcards = new Set(names.filter(isWildcard));
  if (wildcards.size === 0) return concerned;
  for (const name of known) {
    const above = wildcardOf(name);
    if (above !== undefined && wildcards.has(above)) concerned.add(name);
  }
  return concerned;
}
