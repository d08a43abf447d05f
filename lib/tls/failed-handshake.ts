/**
 * A connection that failed, or was given up, before its handshake was done.
 */
import type { HandshakeFailure } from '../domain/handshake-failure.js';

export interface FailedHandshake {
  /** Its id. */
  readonly handshake: string;
  /** When it began: milliseconds of `performance.now`. */
  readonly startedAtMs: number;
  readonly reason: HandshakeFailure;
  /** One clause that quotes nothing of the client's: OpenSSL's own reason for `tls-error`, such as `no shared cipher`. */
  readonly detail: string;
  /** Of a `tls-error`: Node's code for it, such as `ERR_SSL_NO_SHARED_CIPHER`, or the system's. */
  readonly code?: string;
  /** The client's address: as a PROXY header has named it, else that of the socket. */
  readonly client: string;
  /** The bytes from the ClientHello on, where it was complete: `readOffer` reads them. */
  readonly hello?: Buffer;
  /** The client has connected and gone, or waited, without a byte of TLS: a health check or a scan of ports. */
  readonly isSilent: boolean;
}

/**
 * The reason and the code of a TLS error, for the log. Node's `reason` is OpenSSL's text alone; its `message` has the file and the
 * line of OpenSSL's sources as well.
 */
export function opensslReason(error: Error): { readonly detail: string; readonly code?: string } {
  const { reason, code } = error as { reason?: unknown; code?: unknown };
  return {
    detail: typeof reason === 'string' ? reason : error.message,
    ...(typeof code === 'string' && { code }),
  };
}
