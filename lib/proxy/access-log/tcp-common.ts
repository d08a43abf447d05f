/**
 * The line of a spliced connection (TCP mode) in the common and combined log formats. PURE.
 *
 * It has `TCP`, name and backend in place of the request line; behind its bytes, which are those sent, those received, the duration
 * in seconds (as in nginx's example of a stream log) and the end. Combined, there is neither referer nor user agent before these.
 */
import type { TcpEntry } from '../tunnel/tcp-record.js';
import { tcpStatus } from './tcp-status.js';
import { commonTime, quotable } from './text.js';

export function commonTcpLine(entry: TcpEntry): string {
  return `${common(entry)} ${rest(entry)}\n`;
}

export function combinedTcpLine(entry: TcpEntry): string {
  return `${common(entry)} "-" "-" ${rest(entry)}\n`;
}

function common({ info, backend, end, bytesSent, timeMs }: TcpEntry): string {
  const request = `TCP ${quotable(info.serverName ?? '-')} ${quotable(backend ?? '-')}`;
  const client = quotable(info.client.address) || '-';
  return `${client} - - [${commonTime(timeMs)}] "${request}" ${tcpStatus(end)} ${bytesSent}`;
}

function rest({ bytesReceived, durationMs, end }: TcpEntry): string {
  return `${bytesReceived} ${(durationMs / 1000).toFixed(3)} "${end}"`;
}
