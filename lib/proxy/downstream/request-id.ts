/**
 * Ids of requests: a random start for each process, and a count. 16 hex digits, unique enough to find a line in a log.
 */
import { randomBytes } from 'node:crypto';

const prefix = randomBytes(4).toString('hex');
let count = 0;

export function newRequestId(): string {
  count = (count + 1) >>> 0;
  return prefix + count.toString(16).padStart(8, '0');
}
