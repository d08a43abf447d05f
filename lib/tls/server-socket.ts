/**
 * The server side of TLS on a connection whose ClientHello has been read already: a `TLSSocket` that is made by hand.
 *
 * That needs members of Node's that are not documented: they are named here, and used nowhere else.
 */
import type { Socket } from 'node:net';
import { TLSSocket, type SecureContext } from 'node:tls';
import type { RawConnection } from '../net/raw-connection.js';

/** Not in Node's types. */
interface TlsInternals {
  /** Without it a bad record after the handshake would neither error nor close the socket. */
  _releaseControl(): boolean;
  /** Stays true for ever on a socket that was made by hand, and HTTP/2 waits for it to become false. */
  secureConnecting: boolean;
  readonly _handle: {
    /** Takes bytes that were read from the connection before: what Node does with those in the raw socket's buffer. */
    receive(bytes: Buffer): void;
  } | null;
}

/**
 * Makes the socket. It emits `secure` once the handshake is done, and `error` or `_tlsError` where it fails.
 *
 * @param alpn the protocols to choose from, as `protocolList` makes them; undefined: ALPN is not answered.
 */
export function makeServerSocket(
  raw: RawConnection,
  secureContext: SecureContext,
  alpn: Buffer | undefined,
): TLSSocket {
  return new TLSSocket(
    raw as unknown as Socket,
    alpn === undefined
      ? { isServer: true, secureContext }
      : { isServer: true, secureContext, ALPNProtocols: alpn },
  );
}

/** Begins the handshake with what was read of the connection before: the ClientHello. */
export function receiveHello(socket: TLSSocket, bytes: Buffer): void {
  (socket as unknown as TlsInternals)._handle?.receive(bytes);
}

/** To be called in `secure`, before the socket is used: from then on it is like one of Node's own. */
export function completeHandshake(socket: TLSSocket): void {
  const internals = socket as unknown as TlsInternals;
  internals._releaseControl();
  internals.secureConnecting = false;
}
