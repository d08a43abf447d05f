/**
 * The fields of a response or an informational one, as HTTP/2 can send them. PURE.
 */
import { eachField } from '../headers/fields.js';
import { toObject } from '../headers/to-object.js';

/** What nghttp2 sends at most in a block of fields; it closes the connection over a larger one. It reckons 12 octets for each field. */
const MAX_BLOCK_BYTES = 65_536;
const BYTES_PER_FIELD = 12;
/** For what Node adds: the status and a date. */
const ADDED_BYTES = 256;

/**
 * Without `Upgrade`, which HTTP/2 has no use for, and without `Content-Length` where a status has none (RFC 9110 §8.6): clients take such a response for malformed.
 *
 * @throws RangeError when they are too large for HTTP/2
 */
export function responseFields(
  status: number,
  headers: readonly string[],
): Record<string, string | string[]> {
  checkSize(headers);
  const fields = toObject(headers);
  delete fields['upgrade'];
  if (status < 200 || status === 204) delete fields['content-length'];
  return fields;
}

/** @throws RangeError when trailers are too large for HTTP/2 */
export function checkSize(headers: readonly string[]): void {
  let bytes = ADDED_BYTES;
  eachField(headers, (name, value) => (bytes += name.length + value.length + BYTES_PER_FIELD));
  if (bytes > MAX_BLOCK_BYTES) throw new RangeError('the header fields are too large for HTTP/2');
}
