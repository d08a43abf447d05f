/**
 * The host that a request names (`Host`, `:authority`, the authority of a target in absolute form), read at one door. PURE.
 *
 * It is a server name or an IP address, with or without a port, and nothing else: RFC 3986 would let pass much more as a
 * registered name (`.net`, `a,b`, `%61`, `127.1`), which the certificate, the route and the backend may each read otherwise.
 * A host has one spelling afterwards. Whoever compares, routes, logs or sends a host takes it from here.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { normaliseServerName, type ServerName } from './server-name.js';

interface Spelling {
  /** As it came. */
  readonly raw: string;
  /** As it goes on, with its port where it has one: `www.example.com:8443`, `192.0.2.7`, `[2001:db8::1]`. */
  readonly text: string;
}

export interface NamedHost extends Spelling {
  readonly name: ServerName;
  readonly address: undefined;
}

export interface AddressHost extends Spelling {
  readonly name: undefined;
  /** `192.0.2.7`, `2001:db8::1` in its shortest form, without brackets. */
  readonly address: string;
}

export type Host = NamedHost | AddressHost;

/** A name of 253 octets and its dot, a colon and a port. An address in brackets is shorter. */
const MAX_HOST_LENGTH = 253 + 1 + 6;
const PORT = /^[1-9]\d{0,4}$/;
/** Without a zone: a zone has a meaning on its own machine only (RFC 6874). */
const LITERAL = /^\[([\da-fA-F:.]+)\](?::(.*))?$/;

/**
 * Reads a host.
 *
 * @param raw one character for each octet.
 * @returns undefined for what is neither a server name nor an address, or has a port other than 1 to 65535. (An empty one
 *   behind a colon is none: RFC 3986 §6.2.3.)
 */
export function readHost(raw: string): Host | undefined {
  // The length is checked first: a client may send 16 KB of anything.
  if (raw.length > MAX_HOST_LENGTH) return undefined;
  if (raw.startsWith('[')) return parseLiteral(raw);
  const colon = raw.indexOf(':');
  const bare = colon === -1 ? raw : raw.slice(0, colon);
  const port = colon === -1 ? '' : portText(raw.slice(colon + 1));
  if (port === undefined) return undefined;
  const name = normaliseServerName(bare);
  if (name !== undefined) return { raw, text: name + port, name, address: undefined };
  return isIPv4(bare) ? { raw, text: bare + port, name: undefined, address: bare } : undefined;
}

function parseLiteral(raw: string): Host | undefined {
  const [, literal = '', digits = ''] = LITERAL.exec(raw) ?? [];
  const port = portText(digits);
  if (port === undefined || !isIPv6(literal)) return undefined;
  const { hostname } = new URL(`http://[${literal}]/`);
  return { raw, text: hostname + port, name: undefined, address: hostname.slice(1, -1) };
}

/** A port with its colon; empty where there is none; undefined for an invalid one. */
function portText(digits: string): string | undefined {
  if (digits === '') return '';
  return PORT.test(digits) && Number(digits) <= 0xffff ? `:${digits}` : undefined;
}

/** Reads a host of the settings: as `readHost`, and an IPv6 address may stand without brackets. */
export function readOwnHost(text: string): Host | undefined {
  return readHost(isIPv6(text) ? `[${text}]` : text);
}

/** The form in which hosts are compared: without port and brackets. An invalid host is compared in lower case. */
export function comparable(raw: string): string {
  const host = readOwnHost(raw);
  return host?.name ?? host?.address ?? raw.toLowerCase();
}
