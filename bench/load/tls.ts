/**
 * Connections of the load. The group is fixed to X25519 and the suite to one that every server has, or the ratio of two servers
 * would be that of their defaults.
 */
import { connect, createSecureContext, type ConnectionOptions, type TLSSocket } from 'node:tls';

const context = createSecureContext({
  ecdhCurve: 'X25519',
  ciphers: 'TLS_AES_128_GCM_SHA256',
  minVersion: 'TLSv1.3',
});

export function connectTls(port: number, name: string, options: ConnectionOptions = {}): TLSSocket {
  const socket = connect({
    ...{ host: '127.0.0.1', port, servername: name },
    ...{ secureContext: context, rejectUnauthorized: false },
    ...options,
  });
  socket.setNoDelay(true);
  return socket;
}
