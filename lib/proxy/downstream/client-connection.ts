/**
 * A client's connection, as seen by those who answer its requests.
 */
import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { covers } from '../../domain/covered-names.js';
import type { Host } from '../../domain/host.js';
import type { ConnectionInfo } from '../../net/connection-info.js';
import type { Transport } from '../../net/raw-connection.js';

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
  readonly socket: Socket;
  readonly info: ConnectionInfo;
  /** The connection below TLS; without TLS the socket itself. */
  readonly raw: Transport;
  last: LastDestination | undefined;
  #covered: Map<string, boolean> | undefined;
  #certificate: X509Certificate | undefined;

  constructor(socket: Socket, info: ConnectionInfo, raw: Transport = socket) {
    this.socket = socket;
    this.info = info;
    this.raw = raw;
  }

  /** The certificate that was served; undefined on plain HTTP. */
  get certificate(): X509Certificate | undefined {
    if (this.socket instanceof TLSSocket) this.#certificate ??= this.socket.getX509Certificate();
    return this.#certificate;
  }

  /** `TLSv1.3` and the like. */
  get protocol(): string | undefined {
    return this.socket instanceof TLSSocket ? (this.socket.getProtocol() ?? undefined) : undefined;
  }

  /** OpenSSL's standard name of the cipher. */
  get cipher(): string | undefined {
    return this.socket instanceof TLSSocket ? this.socket.getCipher().standardName : undefined;
  }

  /** Whether the certificate of this connection is for a host. */
  covers(host: Host): boolean {
    const key = host.name ?? host.address;
    const known = this.#covered?.get(key);
    if (known !== undefined) return known;
    const { certificate } = this;
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
