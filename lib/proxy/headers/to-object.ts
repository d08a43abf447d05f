/**
 * Header fields between flat lists (`[name, value, …]`) and the objects that Node's HTTP/2 takes. PURE.
 */

/** Node's HTTP/2 takes one value of these, and throws on more. What repeats them is wrong; the first one counts. */
const SINGLE = new Set([
  ...['access-control-allow-credentials', 'access-control-max-age', 'access-control-request-method', 'age'],
  ...['authorization', 'content-encoding', 'content-language', 'content-length', 'content-location'],
  ...['content-md5', 'content-range', 'content-type', 'date', 'dnt', 'etag', 'expires', 'from', 'host'],
  ...['if-match', 'if-modified-since', 'if-none-match', 'if-range', 'if-unmodified-since', 'last-modified'],
  ...['location', 'max-forwards', 'proxy-authorization', 'range', 'referer', 'retry-after', 'tk'],
  ...['upgrade-insecure-requests', 'user-agent', 'x-content-type-options'],
]);

/**
 * By lower-case name, repeated fields as lists. The object has no prototype: strangers choose the names, and `constructor` and
 * `__proto__` are under any other.
 */
export function toObject(flat: readonly string[]): Record<string, string | string[]> {
  const fields = Object.create(null) as Record<string, string | string[]>;
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const name = (flat[i] ?? '').toLowerCase();
    const value = flat[i + 1] ?? '';
    const earlier = fields[name];
    if (earlier === undefined) fields[name] = value;
    else if (SINGLE.has(name)) continue;
    else if (Array.isArray(earlier)) earlier.push(value);
    else fields[name] = [earlier, value];
  }
  return fields;
}
