/**
 * Header fields between flat lists (`[name, value, …]`) and the objects that Node's HTTP/2 takes. PURE.
 */
import { eachField } from './fields.js';

/** Node's HTTP/2 throws where one of these is given twice. A message that repeats them is wrong: the first value counts. */
const SINGLE = new Set([
  ...['access-control-allow-credentials', 'access-control-max-age', 'access-control-request-method', 'age'],
  ...['authorization', 'content-encoding', 'content-language', 'content-length', 'content-location'],
  ...['content-md5', 'content-range', 'content-type', 'date', 'dnt', 'etag', 'expires', 'from', 'host'],
  ...['if-match', 'if-modified-since', 'if-none-match', 'if-range', 'if-unmodified-since', 'last-modified'],
  ...['location', 'max-forwards', 'proxy-authorization', 'range', 'referer', 'retry-after', 'tk'],
  ...['upgrade-insecure-requests', 'user-agent', 'x-content-type-options'],
]);

/**
 * The fields by lower-case name, repeated ones as lists. The object has no prototype, since clients choose the names: `constructor`
 * and `__proto__` would be found on any other object.
 */
export function toObject(flat: readonly string[]): Record<string, string | string[]> {
  const fields = Object.create(null) as Record<string, string | string[]>;
  eachField(flat, (spelling, value) => {
    const name = spelling.toLowerCase();
    const earlier = fields[name];
    if (earlier === undefined) fields[name] = value;
    else if (SINGLE.has(name)) return;
    else if (Array.isArray(earlier)) earlier.push(value);
    else fields[name] = [earlier, value];
  });
  return fields;
}
