/**
 * What a backend's origin says, for whoever connects to it: read here alone, once for each engine. PURE.
 *
 * Settings carry the origin as text: they cross the bus as JSON, and one text is what is compared and shown.
 */
import { isIP } from 'node:net';
import type { Address } from '../domain/address.js';
import type { HttpBackend } from './settings.js';

export interface BackendOrigin {
  readonly isTls: boolean;
  /** As `Host` has it: a port other than the scheme's own is in it, and an IPv6 address in brackets. */
  readonly host: string;
  /** Where to connect. */
  readonly address: Address;
  /** What the certificate must be for, and SNI is sent: the host's name. Empty for an address, which is no server name. */
  readonly serverName: string;
}

export function readOrigin({
  origin,
  socketPath,
}: Pick<HttpBackend, 'origin' | 'socketPath'>): BackendOrigin {
  const { protocol, host, hostname, port } = new URL(origin);
  const isTls = protocol === 'https:';
  const bare = hostname.replace(/^\[(.*)\]$/, '$1');
  const address =
    socketPath === undefined ? { host: bare, port: Number(port) || (isTls ? 443 : 80) } : { socketPath };
  return { isTls, host, address, serverName: isIP(bare) === 0 ? bare : '' };
}
