/**
 * A connection that came to nothing before its handshake was done.
 */

export type HandshakeFailure =
  | 'not-tls'
  | 'plain-http'
  /** A peer that must send a PROXY header has sent another thing. */
  | 'no-proxy-header'
  | 'too-many-connections'
  | 'unknown-name'
  | 'timeout'
  | 'closed'
  | 'tls-error';

export interface FailedHandshake {
  readonly reason: HandshakeFailure;
  /** One clause that quotes nothing of the client's: OpenSSL's own reason for `tls-error`, such as `no shared cipher`. */
  readonly detail: string;
  /** Of a `tls-error`: Node's code for it, such as `ERR_SSL_NO_SHARED_CIPHER`, or the system's. */
  readonly code?: string;
  /** Its address; where a PROXY header has named the client, that one's. */
  readonly client: string;
  /** What has come, from the first byte of the ClientHello on, where that was all there: `readOffer` reads it. */
  readonly hello?: Buffer;
  /** The client has connected and gone, or waited, without a byte of TLS: a health check or a scan of ports. */
  readonly isSilent: boolean;
}

/** What Node makes of an error of OpenSSL's: `message` has the file and the line in its sources, `reason` its text alone. */
export function opensslReason(error: Error): { readonly detail: string; readonly code?: string } {
  const { reason, code } = error as { reason?: unknown; code?: unknown };
  return {
    detail: typeof reason === 'string' ? reason : error.message,
    ...(typeof code === 'string' && { code }),
  };
}
