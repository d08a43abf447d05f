/**
 * Whom a request is for. PURE.
 */
import { readHost, type Host } from '../domain/host.js';
import type { ServerName } from '../domain/server-name.js';
import type { RequestContext } from './downstream/request-context.js';

/** Where a request goes: its path and query, and whom it is for. */
export interface Destination {
  readonly path: string;
  /** Undefined: the request names none, and neither does its connection. The default backend is told its own host then. */
  readonly host: Host | undefined;
}

const ABSOLUTE_FORM = /^https?:\/\/([^/?#]*)/i;

/**
 * Reads whom a request is for (RFC 9112 §3.2): a target in absolute form overrides the `Host` field. HTTP/1.0 may go without
 * one, and is for the name of its connection then.
 *
 * @param serverName the name of the connection's handshake.
 * @param known the host of an earlier request: most name the same one, which need not be read again.
 * @returns undefined when the host is missing, given twice or none (`readHost`), or the target is neither a path nor in
 *   absolute form: that is to be answered 400.
 */
export function destinationOf(
  request: Pick<RequestContext, 'url' | 'method' | 'httpVersion' | 'host' | 'headers'>,
  serverName?: ServerName,
  known?: Host,
): Destination | undefined {
  const { url, method, httpVersion } = request;
  let raw = request.host;
  if (raw === undefined) {
    if (httpVersion !== '1.0' || hasHost(request.headers)) return undefined;
    raw = serverName;
  }
  let host: Host | undefined;
  if (raw !== undefined) {
    host = raw === known?.raw ? known : readHost(raw);
    if (host === undefined) return undefined;
  }
  if (url.startsWith('/') || (url === '*' && method === 'OPTIONS')) return { path: url, host };
  // On HTTP/2 the authority has a field of its own, and the path is a path.
  const absolute = httpVersion === '2.0' ? null : ABSOLUTE_FORM.exec(url);
  if (absolute === null) return undefined;
  const [start, authority = ''] = absolute;
  const target = readHost(authority);
  if (target === undefined) return undefined;
  const path = url.slice(start.length);
  return { path: path.startsWith('/') ? path : `/${path}`, host: target };
}

/** It may be there twice. */
function hasHost(fields: readonly string[]): boolean {
  return fields.some((name, i) => i % 2 === 0 && name.toLowerCase() === 'host');
}
