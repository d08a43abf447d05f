/**
 * How much a client may ask and send at once on HTTP/2, whichever engine speaks it. PURE.
 */
import type { LimitSettings } from '../../config/settings.js';
import { MAX_FIELDS } from '../headers/headers.js';

const MIB = 1_048_576;

/** The most streams of a client at once: as many as nginx allows. */
export const MAX_CONCURRENT_STREAMS = 128;

/** A stream's window, to begin with. The 64 KiB that HTTP/2 begins with are 640 KB/s on a line of 100 ms. */
export const STREAM_WINDOW_BYTES = MIB;
export const STREAM_WINDOW_LIMIT_BYTES = 4 * MIB;
/** The connection's window, to begin with, and when the streams' have grown. */
export const CONNECTION_WINDOW_BYTES = 4 * MIB;
export const GROWN_CONNECTION_WINDOW_BYTES = 8 * MIB;
/** What streams may hold beside a whole window of one of them. */
export const SPARE_BYTES = 3 * MIB;

/**
 * Heads up to so much are read so that they can be answered: 431 where they are above our limits. It is more than nghttp2 takes in nine
 * frames, and after those it ends the session. RFC 9113 counts 32 octets more for each field.
 */
const READ_HEADER_BYTES = 256 * 1_024;
const FIELD_OVERHEAD_BYTES = 32;

/** The list of fields that is announced as the largest, as RFC 9113 §6.5.2 counts. */
export function maxListBytes({ maxHeaderBytes }: LimitSettings): number {
  return Math.max(READ_HEADER_BYTES, maxHeaderBytes + MAX_FIELDS * FIELD_OVERHEAD_BYTES);
}

/**
 * Whether a head is to be answered 431.
 *
 * @param fields flat
 * @param otherBytes of what else the head has: pseudo fields that are not in `fields`.
 */
export function isAboveLimits(
  fields: readonly string[],
  { maxHeaderBytes }: LimitSettings,
  otherBytes = 0,
): boolean {
  return fields.length > 2 * MAX_FIELDS || bytesOf(fields) + otherBytes > maxHeaderBytes;
}

/** Of all names and values. */
export function bytesOf(fields: readonly string[]): number {
  let bytes = 0;
  for (const part of fields) bytes += part.length;
  return bytes;
}
