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
 * @returns undefined when the `Host` is missing, given twice or malformed: that is to be answered 400. Only HTTP/1.0 may
 *   go without.
 */
export function destinationOf(request: {
  readonly url: string;
  readonly httpVersion: string;
  /** Undefined where it is missing or given twice. */
  readonly host: string | undefined;
}): Destination | undefined {
  const { url, httpVersion, host } = request;
  if (host === undefined && httpVersion !== '1.0') return undefined;
  if (host !== undefined && !HOST.test(host)) return undefined;
  const absolute = url.startsWith('/') ? null : ABSOLUTE_FORM.exec(url);
  if (absolute === null) return { path: url, host };
  const [start, authority = ''] = absolute;
  if (!HOST.test(authority)) return undefined;
  const path = url.slice(start.length);
  return { path: path.startsWith('/') ? path : `/${path}`, host: authority };
}
