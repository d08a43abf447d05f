/**
 * A request on HTTP/2, from a stream of Node's.
 */
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { withoutPseudoFields } from '../../headers/headers.js';
import type { ClientConnection } from '../client-connection.js';
import { Http2ResponseWriter } from './response-writer.js';
import { ExtendedConnect } from './tunnel.js';
import { RequestBody, type BodySource } from '../request-body.js';
import type { RequestContext } from '../request-context.js';
import { newRequestId } from '../request-id.js';

/** The head of a request as Node tells it. */
export interface Http2Head {
  readonly headers: IncomingHttpHeaders;
  /** Flat, as they came. */
  readonly raw: readonly string[];
}

/** Whether a request is an extended CONNECT for a WebSocket (RFC 8441). The names of protocols know no case. */
const isForWebSocket = ({ ':method': method, ':protocol': protocol }: IncomingHttpHeaders): boolean =>
  method === 'CONNECT' && String(protocol).toLowerCase() === 'websocket';

/**
 * Makes the request of a stream. From then on the stream is read, and its errors are heard. One for a WebSocket becomes the GET that it
 * is on HTTP/1.1.
 */
export function requestOf(
  stream: ServerHttp2Stream,
  { headers, raw }: Http2Head,
  connection: ClientConnection,
): RequestContext {
  const isTunnel = isForWebSocket(headers);
  const method = isTunnel ? 'GET' : (headers[':method'] ?? 'GET');
  const hasBody = !stream.endAfterHeaders && !isTunnel;
  const source = hasBody ? new StreamSource(stream, headers.expect) : undefined;
  stream.on('error', ignore);
  if (!hasBody && !isTunnel) stream.resume();
  const body = source?.body ?? null;
  // A `Host` beside `:authority` must be equal to it (RFC 9113 §8.3.1); without `:authority` it takes its place.
  const authority = headers[':authority'];
  const hosts = raw.filter((_, i) => i % 2 === 1 && raw[i - 1] === 'host');
  const host = authority ?? hosts[0];
  const isContradiction = hosts.some((other) => other.toLowerCase() !== host?.toLowerCase());
  const client = new Http2ResponseWriter(stream, {
    id: newRequestId(),
    accept: headers.accept,
    isToHead: method === 'HEAD',
    isToTunnel: isTunnel,
    dropRequest: () => body?.discard(),
  });
  const upgrade = isTunnel ? new ExtendedConnect(stream, client) : undefined;
  const fields = withoutPseudoFields(raw);
  return {
    client,
    connection,
    method,
    url: headers[':path'] ?? '',
    host: isContradiction ? undefined : host,
    headers: upgrade?.requestFields(fields) ?? fields,
    httpVersion: '2.0',
    body,
    startedAtMs: performance.now(),
    ...(upgrade !== undefined && { upgrade }),
  };
}

/** The body that comes on a stream. */
class StreamSource implements BodySource {
  readonly body: RequestBody;
  readonly #stream: ServerHttp2Stream;
  #awaitsContinue: boolean;
  #trailers: readonly string[] = [];

  constructor(stream: ServerHttp2Stream, expectation: string | undefined) {
    const body = new RequestBody(this);
    this.body = body;
    this.#stream = stream;
    this.#awaitsContinue = expectation?.toLowerCase() === '100-continue';
    stream.pause();
    stream.on('data', (piece: Buffer) => body.push(piece));
    stream.on('trailers', (...[, , raw]: unknown[]) => (this.#trailers = raw as string[]));
    stream.on('end', () => {
      // A stream that was reset ends as well.
      if (stream.aborted || stream.rstCode) body.fail('the client has reset the stream');
      else body.finish(this.#trailers);
    });
    stream.on('close', () => body.fail('the client has gone'));
  }

  setReading(isWanted: boolean): void {
    if (isWanted) this.#stream.resume();
    else this.#stream.pause();
  }

  onBodyWanted(): void {
    const stream = this.#stream;
    if (!this.#awaitsContinue || stream.headersSent || stream.destroyed) return;
    this.#awaitsContinue = false;
    stream.additionalHeaders({ ':status': 100 });
  }
}

function ignore(): void {
  // `close` follows.
}
