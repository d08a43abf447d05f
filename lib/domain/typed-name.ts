/**
 * Names of certificates that do not come from a client: a person types them, or the manager does. Beside what a client may send as a
 * server name these are wildcards and IP addresses, which have certificates too. PURE.
 */
import { isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';
import { addressName, normaliseDomain, type ServerName } from './server-name.js';

/** What a person types is read with its scheme, path and port; no name is near this. */
const MAX_TYPED_LENGTH = 2_048;
const URL_START = /^https?:\/\/([^/?#]*)/i;
const WITH_PORT = /^([^:]*|\[[^\]]*\]):\d{1,5}$/;
const IN_BRACKETS = /^\[(.*)\]$/;
/** Anything else of ASCII has a meaning in a URL, by which `domainToASCII` would leave out a part. */
const INTERNATIONAL = /^[\w.*\u0080-\u{10ffff}-]+$/u;

/** Normalises a name that a certificate may be for. @returns undefined for what is none. */
export function certificateName(raw: string): ServerName | undefined {
  return normaliseDomain(raw) ?? addressName(raw);
}

/**
 * The same of what a person types: a name in letters of any script is put as clients send it (RFC 5890), and a port or a URL around
 * the name is left out. Never for what comes from a client or from the manager: there a name has one spelling.
 */
export function typedName(typed: string): ServerName | undefined {
  if (typed.length > MAX_TYPED_LENGTH) return undefined;
  const text = typed.trim();
  const authority = URL_START.exec(text)?.[1] ?? text;
  // The last group of an IPv6 address is no port.
  const host = isIPv6(authority) ? authority : (WITH_PORT.exec(authority)?.[1] ?? authority);
  const address = IN_BRACKETS.exec(host)?.[1];
  if (address !== undefined) return isIPv6(address) ? addressName(address) : undefined;
  return (
    certificateName(host) ?? (INTERNATIONAL.test(host) ? normaliseDomain(domainToASCII(host)) : undefined)
  );
}
