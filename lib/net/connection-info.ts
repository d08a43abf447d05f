/**
 * What is known of a client's connection once its handshake is done.
 */
import type { Tier } from '../domain/lookup.js';
import type { ServerName } from '../domain/server-name.js';

/** An end of a TCP connection. On a unix socket the address is empty and the port 0. */
export interface Endpoint {
  /** IPv4-mapped IPv6 addresses are shown as IPv4. */
  readonly address: string;
  readonly port: number;
}

export interface ConnectionInfo {
  readonly scheme: 'https' | 'http';
  /** Undefined: the client sent none, or not a valid one. */
  readonly serverName?: ServerName | undefined;
  /** Undefined on plain HTTP. */
  readonly tier?: Tier | undefined;
  /** Milliseconds that choosing the certificate took. */
  readonly chooseMs: number;
  /** What ALPN came to; undefined without. */
  readonly alpn?: string | undefined;
  /** The client, as the PROXY header says where there is one. One that names no client leaves the proxy's own address. */
  readonly client: Endpoint;
  /**
   * False: a PROXY header has named no client with an address (UNKNOWN, LOCAL, datagrams, unix sockets). Whoever that is, what
   * holds for the address of the proxy before us, that it is trusted for one, does not hold for them.
   */
  readonly isClientKnown: boolean;
  readonly local: Endpoint;
  /** Which `--listen` it came in on, from 0. */
  readonly listener: number;
}

/** `::ffff:192.0.2.1`, as dual-stack sockets show IPv4 clients, becomes `192.0.2.1`. */
export function plainAddress(address: string | undefined): string {
  if (address === undefined) return '';
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice('::ffff:'.length) : address;
}
