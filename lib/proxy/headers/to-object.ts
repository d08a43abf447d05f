/**
 * Header fields between flat lists (`[name, value, …]`) and the objects that Node's HTTP/2 takes. PURE.
 */
import { sensitiveHeaders } from 'node:http2';
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

interface HasSensitive {
  [key: symbol]: readonly string[] | undefined;
}

/**
 * The fields by lower-case name, repeated ones as lists. The object has no prototype, since clients choose the names: `constructor`
 * and `__proto__` would be found on any other object.
 *
 * @param neverIndexedNames in lower case: they are sent as literals never indexed (RFC 7541 §6.2.3).
 */
export function toObject(
  flat: readonly string[],
  neverIndexedNames?: readonly string[],
): Record<string, string | string[]> {
  const fields = Object.create(null) as Record<string, string | string[]>;
  eachField(flat, (spelling, value) => {
    const name = spelling.toLowerCase();
    const earlier = fields[name];
    if (earlier === undefined) fields[name] = value;
    else if (SINGLE.has(name)) return;
    else if (Array.isArray(earlier)) earlier.push(value);
    else fields[name] = [earlier, value];
  });
  if (neverIndexedNames !== undefined)
    (fields as object as HasSensitive)[sensitiveHeaders] = [...neverIndexedNames];
  return fields;
}

/** The names of fields in such an object that came as literals never indexed; undefined: none did. */
export function neverIndexedNames(headers: object): readonly string[] | undefined {
  const names = (headers as HasSensitive)[sensitiveHeaders];
  return names === undefined || names.length === 0 ? undefined : names;
}
