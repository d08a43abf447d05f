/**
 * A request on HTTP/2, from the fields of its head.
 */
import { withOneCookie } from '../../headers/headers.js';
import type { RequestFields } from '../../http2/request-fields.js';
import type { ClientConnection } from '../client-connection.js';
import { ExtendedConnect } from '../extended-connect.js';
import { hostOf } from '../http2-host.js';
import type { RequestContext } from '../request-context.js';
import { newRequestId } from '../request-id.js';
import { Http2ResponseWriter } from './response-writer.js';
import type { Http2Stream } from './stream.js';
import { Http2TunnelSide } from './tunnel-side.js';

export function requestOf(
  stream: Http2Stream,
  { method: methodOnWire, path, authority, fields, hosts, accept, neverIndexedNames }: RequestFields,
  connection: ClientConnection,
): RequestContext {
  // One for a WebSocket is the GET that it is on HTTP/1.1.
  const method = stream.isForTunnel ? 'GET' : methodOnWire;
  const client = new Http2ResponseWriter(stream, {
    id: newRequestId(),
    accept,
    isToHead: method === 'HEAD',
    isToTunnel: stream.isForTunnel,
    connection,
  });
  const upgrade = stream.isForTunnel ? extendedConnect(stream, client) : undefined;
  const passed = withOneCookie(fields);
  return {
    client,
    connection,
    method,
    url: path,
    host: hostOf(authority, hosts),
    headers: upgrade?.requestFields(passed) ?? passed,
    neverIndexedNames,
    httpVersion: '2.0',
    body: stream.isForTunnel ? null : stream.body,
    startedAtMs: performance.now(),
    trace: undefined,
    upgrade,
  };
}

function extendedConnect(stream: Http2Stream, client: Http2ResponseWriter): ExtendedConnect {
  return new ExtendedConnect(stream.body, (fields) => {
    client.openTunnel(fields);
    return new Http2TunnelSide(stream, client);
  });
}
