/**
 * The fields of a response or an informational one, as HTTP/2 can send them. PURE.
 */
import { Remembered } from '../../base/remembered.js';
import { eachField } from '../headers/fields.js';

/** What nghttp2 sends at most in a block of fields; it closes the connection over a larger one. It reckons 12 octets for each field. */
const MAX_BLOCK_BYTES = 65_536;
const BYTES_PER_FIELD = 12;
/** For what Node adds: the status and a date. */
const ADDED_BYTES = 256;

/** By spelling. They are the same objects each time, which HPACK finds faster than new ones. */
const LOWER_CASE = new Remembered((name) => name.toLowerCase());

/**
 * The fields by lower-case name, flat, with the status: without `Upgrade`, which HTTP/2 has no use for.
 *
 * @throws RangeError they are too large for HTTP/2
 */
export function responseFields(status: number, headers: readonly string[]): string[] {
  const list = [':status', String(status)];
  let bytes = 0;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = LOWER_CASE.of(headers[i] ?? '');
    const value = headers[i + 1] ?? '';
    bytes += bytesOf(name, value);
    if (name !== 'upgrade') list.push(name, value);
  }
  refuseLarge(bytes);
  return list;
}

/** @throws RangeError when trailers are too large for HTTP/2 */
export function checkSize(trailers: readonly string[]): void {
  let bytes = 0;
  eachField(trailers, (name, value) => (bytes += bytesOf(name, value)));
  refuseLarge(bytes);
}

function bytesOf(name: string, value: string): number {
  return name.length + value.length + BYTES_PER_FIELD;
}

/** @throws RangeError */
function refuseLarge(bytes: number): void {
  if (bytes + ADDED_BYTES > MAX_BLOCK_BYTES)
    throw new RangeError('the header fields are too large for HTTP/2');
}
