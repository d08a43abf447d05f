/**
 * Whom a request is for. PURE.
 */
import { readHost, type Host } from '../domain/host.js';
import { readTarget, type RequestTarget } from '../domain/request-target.js';
import type { ServerName } from '../domain/server-name.js';
import type { RequestContext } from './downstream/request-context.js';

/** Where a request goes. */
export interface Destination {
  readonly target: RequestTarget;
  /** Whom the request is for. Undefined: neither the request nor its connection names a host. The backend then gets its own as `Host`. */
  readonly host: Host | undefined;
}

/**
 * Reads whom a request is for (RFC 9112 §3.2): a target in absolute form overrides the `Host` field. HTTP/1.0 may go without
 * one, and is for the name of its connection then.
 *
 * @param serverName the name of the connection's handshake.
 * @param known the host of an earlier request: most name the same one, which need not be read again.
 * @returns undefined when the host is missing, given twice or invalid (`readHost`), or the target is neither a path nor in
 *   absolute form: such a request is to be answered 400.
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
  const target = readTarget(url, method);
  if (target === undefined || (url === '*' && method !== 'OPTIONS')) return undefined;
  if (target.authority === undefined) return { target, host };
  // On HTTP/2 the authority has a field of its own, and the path is a path.
  host = httpVersion === '2.0' ? undefined : readHost(target.authority);
  return host && { target, host };
}

/** Whether there is a `Host` field at all: `host` is undefined for two of them as well. */
function hasHost(fields: readonly string[]): boolean {
  return fields.some((name, i) => i % 2 === 0 && name.toLowerCase() === 'host');
}
