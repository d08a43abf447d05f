/**
 * Request targets (RFC 9112 §3.2), read at one door. PURE.
 *
 * The proxy and the admin routes both use what is read here. If each parsed targets by itself, a target could be an admin path to
 * one of them and a backend's path to the other.
 */

export interface RequestTarget {
  /** From the first slash on, with the query, as it was sent; `*` for the server as a whole. It is never empty. */
  readonly pathAndQuery: string;
  /** Without the query. */
  readonly path: string;
  /** Without the question mark; empty if there is none. */
  readonly query: string;
  /** Of a target in absolute form, unread (`readHost`): it overrides the `Host` field. */
  readonly authority: string | undefined;
}

/**
 * The authority ends where a path, a query or a fragment begins. A backslash does not end it, since browsers take one for a slash: a
 * target with a backslash there is refused.
 */
const ABSOLUTE_FORM = /^https?:\/\/([^/?#\\]*)(?=[/?#]|$)/i;

/**
 * Takes a request target apart: a path, one in absolute form for HTTP, or `*`. With OPTIONS the absolute form without path and query
 * stands for `*` (§3.2.4).
 *
 * @returns undefined for any other: the authority form of CONNECT, other schemes, relative paths.
 */
export function readTarget(raw: string, method?: string): RequestTarget | undefined {
  if (raw.startsWith('/') || raw === '*') return targetOf(raw, undefined);
  const absolute = ABSOLUTE_FORM.exec(raw);
  if (absolute === null) return undefined;
  const rest = raw.slice(absolute[0].length);
  if (rest === '' && method === 'OPTIONS') return targetOf('*', absolute[1]);
  return targetOf(rest.startsWith('/') ? rest : `/${rest}`, absolute[1]);
}

function targetOf(pathAndQuery: string, authority: string | undefined): RequestTarget {
  const mark = pathAndQuery.indexOf('?');
  if (mark === -1) return { pathAndQuery, path: pathAndQuery, query: '', authority };
  return { pathAndQuery, path: pathAndQuery.slice(0, mark), query: pathAndQuery.slice(mark + 1), authority };
}
