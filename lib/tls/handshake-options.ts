/**
 * What a handshake needs to be told: the settings, who chooses the certificate and the protocol, and who gets the connection.
 */
import type { SecureContext } from 'node:tls';
import type { DefaultReason } from '../domain/default-reason.js';
import type { Tier } from '../domain/lookup.js';
import type { ServerName } from '../domain/server-name.js';
import type { TlsClientSocket } from '../net/client-socket.js';
import type { ConnectionInfo } from '../net/connection-info.js';
import type { Transport } from '../net/raw-connection.js';
import type { FailedHandshake } from './failed-handshake.js';
import type { HandshakeIds } from './handshake-ids.js';

/** The certificate for a connection. */
export interface ChosenCertificate {
  readonly context: SecureContext;
  readonly tier: Tier;
  /** Why it is the default certificate; undefined where it is none. */
  readonly reason?: DefaultReason | undefined;
}

/** A handshake, as whoever chooses its certificate sees it. */
export interface Asker {
  /** The client's. */
  readonly address: string;
  /** As `HandshakeIds` has it: made when it is read. */
  readonly handshake: string;
}

export interface HandshakeOptions {
  /** Which `--listen` this is, from 0. */
  readonly index: number;
  /** Shared with the other listeners of the worker. */
  readonly ids: HandshakeIds;
  /**
   * Chooses the certificate: at once on a hit. Must not reject.
   *
   * @param name without a valid server name the local address of the connection, where `choosesByAddress`; else undefined.
   * @param hello the bytes of the ClientHello, as they came.
   */
  choose(
    name: ServerName | undefined,
    asker: Asker,
    hello: Buffer,
  ): ChosenCertificate | Promise<ChosenCertificate>;
  /**
   * The protocols that a connection may speak, as `protocolList` makes them; undefined: ALPN is not answered. Where none of
   * them is offered, the handshake fails.
   *
   * @param offered what the client has offered, one character for each octet (latin1).
   */
  alpnFor(name: ServerName | undefined, offered: readonly string[]): Buffer | undefined;
  /** Whether there may be certificates for the addresses that clients have connected to. */
  choosesByAddress(): boolean;
  /** Whether the connections of this peer begin with a PROXY header. */
  sendsProxyHeader(peer: string): boolean;
  /** Whether a client that has sent a name without a certificate gets an alert in place of the default certificate. */
  rejectsUnknownNames(): boolean;
  handshakeTimeoutMs(): number;
  /** Whether `onSecure` is to be given sockets of Node's, not ours, which cost less. */
  needsNodeSocket(): boolean;
  /** Takes the connection over after the handshake. `raw` carries it. */
  onSecure(socket: TlsClientSocket, info: ConnectionInfo, raw: Transport): void;
  /** Is told of a connection that failed before its handshake was done. */
  onFailure(failure: FailedHandshake): void;
}
