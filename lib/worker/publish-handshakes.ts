/**
 * Tells the channel of handshakes of those that are over.
 */
import { channels, sinceEpoch } from '../channels/channels.js';
import type { TlsClientSocket } from '../net/client-socket.js';
import type { ConnectionInfo } from '../net/connection-info.js';
import { SocketTlsFacts } from '../proxy/downstream/tls-facts.js';
import type { FailedHandshake } from '../tls/failed-handshake.js';

export function publishSecured(socket: TlsClientSocket, info: ConnectionInfo): void {
  const { handshake = '', client, serverName, tier = '', reason, chooseMs, alpn, keyClass, listener } = info;
  const { startedAtMs = 0 } = info;
  const { protocol, cipher, isResumed = false } = new SocketTlsFacts(socket);
  channels.handshake.publish({
    outcome: 'done',
    handshake,
    client: client.address,
    startedAtMs: sinceEpoch(startedAtMs),
    tookMs: performance.now() - startedAtMs,
    ...(serverName !== undefined && { serverName }),
    tier,
    ...(reason !== undefined && { defaultReason: reason }),
    chooseMs,
    ...(protocol !== undefined && { protocol }),
    ...(cipher !== undefined && { cipher }),
    isResumed,
    ...(alpn !== undefined && { alpn }),
    ...(keyClass !== undefined && { key: keyClass }),
    listener,
  });
}

export function publishFailed({
  handshake,
  client,
  startedAtMs,
  reason,
  detail,
  code,
}: FailedHandshake): void {
  channels.handshake.publish({
    outcome: 'failed',
    handshake,
    client,
    startedAtMs: sinceEpoch(startedAtMs),
    tookMs: performance.now() - startedAtMs,
    failure: reason,
    detail,
    ...(code !== undefined && { code }),
  });
}
