/**
 * The origin of an HTTP server that we connect to: parsed here alone, once, when the settings are loaded. PURE.
 *
 * What it says is a plain object of text, numbers and booleans in the server's settings, so that it crosses the bus to the workers
 * as JSON and is compared field by field. A `URL` object would not: it becomes text in JSON, and structured clone refuses it.
 */
import { isIP } from 'node:net';
import type { Address } from '../domain/address.js';

export interface BackendOrigin {
  readonly isTls: boolean;
  /** As `Host` has it: a port other than the scheme's own is in it, and an IPv6 address in brackets. */
  readonly host: string;
  /** Where to connect. */
  readonly address: Address;
  /** What the certificate must be for, and SNI is sent: the host's name. Empty for an address, which is no server name. */
  readonly serverName: string;
}

/** One HTTP server that requests go to. */
export interface HttpBackend {
  readonly kind: 'http';
  /** `http://host:port` or `https://host:port`. No path. To be shown; `parsed` is to be read. */
  readonly origin: string;
  /** What the origin says, and where to connect: see `httpBackend`. */
  readonly parsed: BackendOrigin;
  /** A unix socket to connect to instead of the origin's host. */
  readonly socketPath?: string;
  /** HTTP/2: through ALPN for https, with prior knowledge for http. */
  readonly h2: boolean;
}

/**
 * The settings of an HTTP server.
 *
 * @param url its scheme, host and port count, and nothing else.
 */
export function httpBackend(
  url: URL,
  { h2 = false, socketPath }: { readonly h2?: boolean; readonly socketPath?: string } = {},
): HttpBackend {
  const { origin, protocol, host, hostname, port } = url;
  const isTls = protocol === 'https:';
  const bare = hostname.replace(/^\[(.*)\]$/, '$1');
  const address =
    socketPath === undefined ? { host: bare, port: Number(port) || (isTls ? 443 : 80) } : { socketPath };
  return {
    kind: 'http',
    origin,
    parsed: { isTls, host, address, serverName: isIP(bare) === 0 ? bare : '' },
    ...(socketPath !== undefined && { socketPath }),
    h2,
  };
}
