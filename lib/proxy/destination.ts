/**
 * Whom a request is for. PURE.
 */

/** Where a request goes: its path and query, and whom it is for. */
export interface Destination {
  readonly path: string;
  readonly host: string | undefined;
}

const ABSOLUTE_FORM = /^https?:\/\/([^/?#]*)/i;
/** A name or an IPv4 address, or an IPv6 one in brackets; then a port. User names have no place in it. */
const HOST = /^(?:[\w.~!$&'()*+,;=%-]+|\[[\da-f:.]+\])(?::\d*)?$/i;

/**
 * Reads whom a request is for (RFC 9112 §3.2): a target in absolute form overrides the `Host` field.
 *
 * @returns undefined when the `Host` is missing, given twice or malformed, or the target is neither a path nor in absolute
 *   form: that is to be answered 400. Only HTTP/1.0 may go without a `Host`.
 */
export function destinationOf(request: {
  readonly url: string;
  readonly method: string;
  readonly httpVersion: string;
  /** Undefined where it is missing or given twice. */
  readonly host: string | undefined;
}): Destination | undefined {
  const { url, method, httpVersion, host } = request;
  if (host === undefined && httpVersion !== '1.0') return undefined;
  if (host !== undefined && !HOST.test(host)) return undefined;
  if (url.startsWith('/') || (url === '*' && method === 'OPTIONS')) return { path: url, host };
  // On HTTP/2 the authority has a field of its own, and the path is a path.
  const absolute = httpVersion === '2.0' ? null : ABSOLUTE_FORM.exec(url);
  if (absolute === null) return undefined;
  const [start, authority = ''] = absolute;
  if (!HOST.test(authority)) return undefined;
  const path = url.slice(start.length);
  return { path: path.startsWith('/') ? path : `/${path}`, host: authority };
}
