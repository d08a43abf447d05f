/** A connection, as lines of the access log tell of it. */
import type { ServerName } from '../../../../lib/domain/server-name.js';
import type { ConnectionInfo } from '../../../../lib/net/connection-info.js';
import type { TlsFacts } from '../../../../lib/proxy/downstream/tls-facts.js';

export const TIME_MS = Date.UTC(2026, 1, 3, 4, 5, 6, 789);

export const INFO: ConnectionInfo = {
  scheme: 'https',
  serverName: 'a.test' as ServerName,
  tier: 'default',
  reason: 'absent',
  handshake: '2-1k3',
  chooseMs: 0.12512,
  alpn: 'h2',
  client: { address: '192.0.2.7', port: 1 },
  isClientKnown: true,
  local: { address: '192.0.2.1', port: 443 },
  listener: 0,
};

export const TLS: TlsFacts = {
  protocol: 'TLSv1.3',
  cipher: 'TLS_AES_128_GCM_SHA256',
  isResumed: true,
  fingerprint: 'ab'.repeat(32),
  keyType: 'ecdsa-p256',
};
