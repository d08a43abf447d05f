/**
 * A client's connection, as those see it who answer its requests.
 */
import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { covers } from '../domain/certificate.js';
import type { Host } from '../domain/host.js';
import type { ConnectionInfo } from '../tls/connection-info.js';
import type { Carrier } from '../tls/raw-connection.js';
import type { Balancer } from './balancer.js';
import type { Upstream } from './upstream.js';

/** A client that asks for more names than this on one connection has each of them checked again. */
const MAX_REMEMBERED = 100;

/** Where the requests of a connection went last: mostly they all go there. */
export interface KnownRoute {
  /** Whose it is: after a reload it is another one's. */
  readonly owner: object;
  readonly host: Host | undefined;
  readonly httpVersion: string;
  readonly balancer: Balancer<Upstream>;
  /** Added to each request; undefined where each has its own: those of a trusted proxy. */
  readonly forwarded: readonly string[] | undefined;
}

export class ClientConnection {
  readonly socket: Socket;
  readonly info: ConnectionInfo;
  /** What carries it: the socket itself without TLS. */
  readonly raw: Carrier;
  knownRoute: KnownRoute | undefined;
  #covered: Map<string, boolean> | undefined;
  #certificate: X509Certificate | undefined;

  constructor(socket: Socket, info: ConnectionInfo, raw: Carrier = socket) {
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
