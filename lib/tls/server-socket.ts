/**
 * The server side of TLS on a connection whose ClientHello has been read already: a `TlsStream`, or a `TLSSocket` of Node's that is made
 * by hand.
 *
 * That needs members of Node's that are not documented: they are named here, and used nowhere else.
 */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { isShuttingDown } from '../net/is-shutting-down.js';
import { nativeTls } from '../net/native-tls.js';
import type { RawConnection } from '../net/raw-connection.js';
import { TlsStream, type HandshakeListener, type ServerSide } from '../net/tls-stream.js';

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
 * Begins the handshake.
 *
 * @param hello what was read of the connection before: the ClientHello.
 * @param isOfNode whether it has to be a socket of Node's: its engine of HTTP/2 takes no other.
 */
export function serveTls(raw: RawConnection, hello: Buffer, side: ServerSide, isOfNode: boolean): void {
  if (nativeTls !== undefined && !isOfNode) {
    new TlsStream(raw, nativeTls, side).receive(hello);
    return;
  }
  const socket = makeNodeSocket(raw, side);
  (socket as unknown as TlsInternals)._handle?.receive(hello);
}

const LISTENER = Symbol('listener');

interface HasListener {
  [LISTENER]?: HandshakeListener | undefined;
}

function makeNodeSocket(raw: RawConnection, { context, alpn, listener }: ServerSide): TLSSocket {
  const socket: TLSSocket & HasListener = new TLSSocket(raw as unknown as Socket, {
    isServer: true,
    secureContext: context,
    ...(alpn !== undefined && { ALPNProtocols: alpn }),
  });
  socket[LISTENER] = listener;
  socket.on('error', onTlsError);
  socket.on('_tlsError', onTlsError);
  socket.on('secure', onSecure);
  raw.carry({
    get isShuttingDown() {
      return isShuttingDown(socket);
    },
    onCarrierClosing: () => undefined,
    onCarrierClosed: () => undefined,
  });
  return socket;
}

function onTlsError(this: TLSSocket & HasListener, error: Error): void {
  this[LISTENER]?.onFailed(error);
}

function onSecure(this: TLSSocket & HasListener): void {
  const internals = this as unknown as TlsInternals;
  internals._releaseControl();
  internals.secureConnecting = false;
  const listener = this[LISTENER];
  this[LISTENER] = undefined;
  // The type has null before the handshake, false without ALPN.
  listener?.onSecured(this, this.alpnProtocol || undefined);
}
