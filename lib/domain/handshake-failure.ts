/**
 * Why a connection failed, or was given up, before its handshake was done.
 */
export type HandshakeFailure =
  | 'not-tls'
  | 'plain-http'
  /** A peer that must send a PROXY header has sent something else. */
  | 'no-proxy-header'
  | 'too-many-connections'
  | 'unknown-name'
  | 'timeout'
  | 'closed'
  | 'tls-error';
