/**
 * Ids of requests: a random start for each process, and a count. 16 hex digits, unique enough to find a line in a log.
 */
import { randomBytes } from 'node:crypto';

const prefix = randomBytes(4).toString('hex');
let count = 0;

/** The field by which backends and clients are told. */
export const REQUEST_ID = 'X-Request-Id';

/** Whether what a trusted proxy has sent as the id of a request can go into the log and into a field. */
export function isRequestId(text: string): boolean {
  return /^[\x21-\x7e]{1,128}$/.test(text);
}

export function newRequestId(): string {
  count = (count + 1) >>> 0;
  return prefix + count.toString(16).padStart(8, '0');
}
