/**
 * A client's connection, as seen by those who answer its requests.
 */
import type { X509Certificate } from 'node:crypto';
import { covers } from '../../domain/covered-names.js';
import type { Host } from '../../domain/host.js';
import type { ClientSocket, TlsClientSocket } from '../../net/client-socket.js';
import type { ConnectionInfo } from '../../net/connection-info.js';
import type { Transport } from '../../net/raw-connection.js';
import { SocketTlsFacts } from './tls-facts.js';

/** A client that asks for more names than this on one connection has each of them checked again. */
const MAX_REMEMBERED = 100;

/** Whom the last request of a connection was for: mostly the next one is for the same host. */
export interface LastDestination {
  /** The handler that stored this, possibly with members of its own that it alone reads. A reload makes another handler. */
  readonly owner: object;
  readonly host: Host | undefined;
  readonly httpVersion: string;
}

export class ClientConnection {
  readonly socket: ClientSocket;
  readonly info: ConnectionInfo;
  /** The connection below TLS; without TLS the socket itself. */
  readonly raw: Transport;
  last: LastDestination | undefined;
  #covered: Map<string, boolean> | undefined;
  #tls: SocketTlsFacts | undefined;

  /** @param socket on TLS where `info` says https. */
  constructor(socket: ClientSocket, info: ConnectionInfo, raw: Transport) {
    this.socket = socket;
    this.info = info;
    this.raw = raw;
  }

  /** What is known of TLS; undefined on plain HTTP. */
  get tls(): SocketTlsFacts | undefined {
    if (this.info.scheme === 'https') this.#tls ??= new SocketTlsFacts(this.socket as TlsClientSocket);
    return this.#tls;
  }

  /** What the client has negotiated, for a page that it is shown: protocol, cipher, ALPN. Empty without TLS. */
  get negotiated(): readonly string[] {
    const { tls, info } = this;
    return [tls?.protocol, tls?.cipher, info.alpn].filter((part) => part !== undefined);
  }

  /** Whether the certificate of this connection is for a host. */
  covers(host: Host): boolean {
    const key = host.name ?? host.address;
    const known = this.#covered?.get(key);
    if (known !== undefined) return known;
    const certificate = this.tls?.certificate;
    const isCovered = certificate !== undefined && isFor(certificate, host);
    this.#covered ??= new Map<string, boolean>();
    if (this.#covered.size >= MAX_REMEMBERED) this.#covered.clear();
    this.#covered.set(key, isCovered);
    return isCovered;
  }
}

function isFor(certificate: X509Certificate, { name, address }: Host): boolean {
  return name === undefined ? certificate.checkIP(address) !== undefined : covers(certificate, name);
}
