/**
 * A request on HTTP/2, from a stream of Node's.
 */
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { withoutPseudoFields } from '../../headers/headers.js';
import { neverIndexedNames } from '../../headers/to-object.js';
import type { ClientConnection } from '../client-connection.js';
import { ExtendedConnect, isForWebSocket } from '../extended-connect.js';
import { hostOf } from '../http2-host.js';
import { NodeResponseWriter } from './response-writer.js';
import type { RequestContext } from '../request-context.js';
import { newRequestId } from '../request-id.js';
import type { RequestBody } from '../request-body.js';
import { StreamSource, type SourceObserver } from './stream-source.js';
import { NodeTunnelSide } from './tunnel-side.js';

/** The head of a request as Node tells it. */
export interface Http2Head {
  readonly headers: IncomingHttpHeaders;
  /** Flat, as they came. */
  readonly raw: readonly string[];
}

/**
 * Makes the request of a stream. From then on the stream is read, and its errors are heard. One for a WebSocket becomes the GET that it
 * is on HTTP/1.1.
 */
export function requestOf(
  stream: ServerHttp2Stream,
  { headers, raw }: Http2Head,
  connection: ClientConnection,
  observer: SourceObserver,
): RequestContext {
  const isTunnel = isForWebSocket(headers[':method'], headers[':protocol']?.toString());
  const method = isTunnel ? 'GET' : (headers[':method'] ?? 'GET');
  stream.on('error', ignore);
  const source = stream.endAfterHeaders
    ? undefined
    : new StreamSource(stream, { observer, expectation: headers.expect, isOfTunnel: isTunnel });
  if (source === undefined) stream.resume();
  const hosts = raw.filter((_, i) => i % 2 === 1 && raw[i - 1] === 'host');
  const client = new NodeResponseWriter(stream, {
    id: newRequestId(),
    accept: headers.accept,
    isToHead: method === 'HEAD',
    isToTunnel: isTunnel,
    connection,
    dropRequest: () => source?.body.discard(),
  });
  const upgrade = isTunnel ? extendedConnect(stream, client, source?.body ?? null) : undefined;
  const fields = withoutPseudoFields(raw);
  return {
    client,
    connection,
    method,
    url: headers[':path'] ?? '',
    host: hostOf(headers[':authority'], hosts),
    headers: upgrade?.requestFields(fields) ?? fields,
    neverIndexedNames: neverIndexedNames(headers),
    httpVersion: '2.0',
    body: isTunnel ? null : (source?.body ?? null),
    startedAtMs: performance.now(),
    trace: undefined,
    upgrade,
  };
}

function extendedConnect(
  stream: ServerHttp2Stream,
  client: NodeResponseWriter,
  body: RequestBody | null,
): ExtendedConnect {
  let isOpen = false;
  // Another answer is out: what waits would keep the stream from closing.
  stream.once('finish', () => {
    if (!isOpen) body?.discard();
  });
  return new ExtendedConnect(body, (fields) => {
    client.openTunnel(fields);
    isOpen = true;
    return new NodeTunnelSide(stream, (bytes) => void (client.bodyBytes += bytes));
  });
}

function ignore(): void {
  // `close` follows.
}
