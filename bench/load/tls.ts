/**
 * Connections of the load. The group is fixed to X25519 and the suite to one that every server has, or the ratio of two servers
 * would be that of their defaults.
 */
import { connect, createSecureContext, type ConnectionOptions, type TLSSocket } from 'node:tls';
import type { TlsVersion } from './orders.js';

const CONTEXTS = {
  'TLSv1.2': createSecureContext({
    // Without the second one no P-256 certificate would do; the keys are exchanged with the first.
    ecdhCurve: 'X25519:P-256',
    // For either kind of key.
    ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256',
    maxVersion: 'TLSv1.2',
  }),
  'TLSv1.3': createSecureContext({
    ...{ ecdhCurve: 'X25519', ciphers: 'TLS_AES_128_GCM_SHA256', minVersion: 'TLSv1.3' },
  }),
};

export function connectTls(
  port: number,
  name: string,
  tls: TlsVersion,
  options: ConnectionOptions = {},
): TLSSocket {
  const socket = connect({
    ...{ host: '127.0.0.1', port, servername: name },
    ...{ secureContext: CONTEXTS[tls], rejectUnauthorized: false },
    ...options,
  });
  socket.setNoDelay(true);
  return socket;
}

/** SHA-256 of the server's certificate, once the handshake is over. */
export function certificateOf(socket: TLSSocket): string {
  return socket.getPeerX509Certificate()?.fingerprint256 ?? 'none';
}
