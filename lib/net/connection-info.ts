/**
 * What is known of a client's connection once its handshake is done.
 */
import type { KeyClass } from '../domain/key-class.js';
import type { DefaultReason } from '../domain/default-reason.js';
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
  /** The server name of the handshake. Undefined: the client sent none, or an invalid one. */
  readonly serverName?: ServerName | undefined;
  /** Undefined on plain HTTP. */
  readonly tier?: Tier | undefined;
  /** Of the certificate that serves it: the key that this client can use. */
  readonly keyClass?: KeyClass | undefined;
  /** Why the default certificate was served; undefined where it was not. */
  readonly reason?: DefaultReason | undefined;
  /** The id of the handshake, as the log has it; undefined on plain HTTP. */
  readonly handshake?: string | undefined;
  /** When the handshake began: milliseconds of `performance.now`; undefined on plain HTTP. */
  readonly startedAtMs?: number | undefined;
  /** Milliseconds that choosing the certificate took. */
  readonly chooseMs: number;
  /** The protocol that ALPN has chosen; undefined: none. */
  readonly alpn?: string | undefined;
  /** The client, as a PROXY header names it. Without such a header, or where it names no client, the other end of the socket. */
  readonly client: Endpoint;
  /**
   * False: the PROXY header names no client with an address (UNKNOWN, LOCAL, datagrams, unix sockets). `client` is then the proxy
   * before us: the trust that it has must not be given to its unknown client.
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
