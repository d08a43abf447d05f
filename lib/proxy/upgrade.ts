/**
 * A connection that changes its protocol (RFC 9110 §7.8): WebSocket, or any other.
 *
 * The request goes its way as every other one (`exchange.ts`), with its body, on a connection of its own. When the backend answers 101
 * the two connections are spliced, each direction ending by itself, until both have ended or nothing has passed for a while; a
 * reload leaves them alone. Nothing of what the client sends behind its request is passed on before. Any other answer is an
 * ordinary response. On HTTP/2 the client's side is a stream instead of a connection (RFC 8441).
 *
 * HTTP/2 over clear text is never asked for: what went through such a connection would be seen by nobody here.
 */
import type { Logger } from '../log/logger.js';
import { responseHeaders } from './headers/headers.js';
import { joinedValues } from './headers/fields.js';
import type { RequestContext, UpgradeRequest } from './downstream/request-context.js';
import { REQUEST_ID } from './downstream/request-id.js';
import { resetSocket, type SpliceEnd, type Splices } from './tunnel/splice.js';
import type { UpstreamTunnel } from './upstream/upstream.js';

export interface TunnelOptions {
  readonly splices: Splices;
  readonly log: Logger;
  /** See `SpliceOptions`. */
  readonly idleTimeoutMs: number;
  /** Rewrites the response fields, which come without those of the backend's hop. */
  readonly responseHeaders: (fields: string[]) => string[];
  /** Both connections are closed. */
  onEnd(): void;
}

/**
 * Answers a request for another protocol with what the backend has answered, and splices the connections.
 *
 * @returns how many bytes the client has sent behind its request, at any time.
 * @throws Error: the client's protocol cannot carry the answer. Nothing has been sent.
 */
export function openTunnel(
  context: RequestContext,
  upgrade: UpgradeRequest,
  { socket: backend, statusMessage, headers, early: fromBackend }: UpstreamTunnel,
  options: TunnelOptions,
): () => number {
  const {
    client: { id },
    host,
    connection,
  } = context;
  const fields = options.responseHeaders(responseHeaders(headers, 101));
  fields.push(REQUEST_ID, id);
  const protocol = joinedValues(headers, 'upgrade') ?? upgrade.protocol;
  const tunnel = upgrade.open(statusMessage, fields, protocol);
  const { stream: client, early } = tunnel;
  client.allowHalfOpen = true;
  backend.allowHalfOpen = true;
  const passed = options.splices.splice({
    client,
    backend,
    carrier: { socket: connection.socket, waitingBytes: () => context.client.waitingBytes },
    idleTimeoutMs: options.idleTimeoutMs,
    resetClient: () => {
      if (tunnel.reset === undefined) resetSocket(connection.raw);
      else tunnel.reset();
    },
    onIdle: () => (context.client.timeout = 'tcp-idle-timeout'),
    onEnd: (how: SpliceEnd) => {
      options.log.debug('upgraded connection closed', { id, host, how });
      options.onEnd();
    },
  });
  if (fromBackend.length > 0) client.write(fromBackend);
  for (const chunk of early) backend.write(chunk);
  const earlyBytes = early.reduce((sum, { length }) => sum + length, 0);
  return () => earlyBytes + passed.fromClient;
}
