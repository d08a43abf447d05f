/**
 * A request on HTTP/2, from the fields of its head.
 */
import { withoutPseudoFields } from '../../headers/headers.js';
import type { RequestFields } from '../../http2/request-fields.js';
import type { ClientConnection } from '../client-connection.js';
import { hostOf } from '../http2-host.js';
import type { RequestContext } from '../request-context.js';
import { newRequestId } from '../request-id.js';
import { OwnResponseWriter } from './response-writer.js';
import type { Http2Stream } from './stream.js';

export function requestOf(
  stream: Http2Stream,
  { method, path, authority, fields }: RequestFields,
  connection: ClientConnection,
): RequestContext {
  const client = new OwnResponseWriter(stream, {
    id: newRequestId(),
    accept: valuesOf(fields, 'accept')[0],
    isToHead: method === 'HEAD',
    connection,
  });
  return {
    client,
    connection,
    method,
    url: path,
    host: hostOf(authority, valuesOf(fields, 'host')),
    headers: withoutPseudoFields(fields),
    httpVersion: '2.0',
    body: stream.body,
    startedAtMs: performance.now(),
    trace: undefined,
  };
}

/** @param name in lower case, as the fields' are. */
export function valuesOf(fields: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i + 1 < fields.length; i += 2) if (fields[i] === name) values.push(fields[i + 1] ?? '');
  return values;
}
