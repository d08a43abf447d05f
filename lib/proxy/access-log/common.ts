/**
 * The line of a request in the web servers' common and combined log formats. PURE.
 */
import type { AccessEntry } from './entries.js';
import { commonTime, quotable, quoted } from './text.js';

export function commonLine(entry: AccessEntry): string {
  return `${common(entry)}\n`;
}

/** The same, with the referer and the user agent behind it. */
export function combinedLine(entry: AccessEntry): string {
  return `${common(entry)} ${quoted(entry.referer)} ${quoted(entry.userAgent)}\n`;
}

/** The format has no field for a cut: the number of bytes tells, or 499. A request that could not be read is `-`. */
function common({ info, method, target, httpVersion, status, bytes, timeMs }: AccessEntry): string {
  const request =
    method === undefined ? '-' : `${quotable(method)} ${quotable(target ?? '')} HTTP/${httpVersion ?? ''}`;
  const client = quotable(info.client.address) || '-';
  return `${client} - - [${commonTime(timeMs)}] "${request}" ${status} ${bytes}`;
}
