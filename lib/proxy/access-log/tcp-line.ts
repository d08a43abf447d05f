/**
 * The access log's line of a spliced connection (TCP mode). PURE.
 *
 * There is no request and no status in it. The status is what nginx's stream module gives a session: 200 where a backend was
 * connected, whatever came of it; 502 where none could be; 403 where there was no certificate for the client's name; and, as
 * of a request, 499 where the client went before a backend was connected. How a connection ended is told in words, where
 * HAProxy's tcplog has two letters.
 */
import type { AccessLogSettings } from '../../config/settings.js';
import { commonTime, jsonLine, quotable, roundMs } from './text.js';
import type { TcpEnd, TcpEntry } from '../tunnel/tcp-record.js';

/** The line for a connection, with its newline. */
export function tcpLine(entry: TcpEntry, format: AccessLogSettings['format']): string {
  return format === 'json' ? objectLine(entry) : commonLine(entry);
}

/** Members that a request's line has as well have the same names. */
function objectLine(entry: TcpEntry): string {
  return jsonLine({
    time: new Date(entry.timeMs).toISOString(),
    client: entry.client,
    name: entry.name,
    tier: entry.tier,
    protocol: 'TCP',
    backend: entry.backend,
    status: statusOf(entry.end),
    end: entry.end,
    bytes: entry.bytesSent,
    received: entry.bytesReceived,
    ms: roundMs(entry.durationMs),
    tls: entry.tls,
    ...(entry.end !== 'ended' && { cut: true }),
    timeout: entry.end === 'idle' ? 'tcp-idle-timeout' : undefined,
  });
}

/**
 * The common log format, with `TCP`, name and backend in place of the request line; behind its bytes, which are those sent,
 * those received, the duration in seconds (as in nginx's example of a stream log) and the end.
 */
function commonLine(entry: TcpEntry): string {
  const { client, name, backend, end, bytesSent, bytesReceived, durationMs, timeMs } = entry;
  const request = `TCP ${quotable(name ?? '-')} ${quotable(backend ?? '-')}`;
  const seconds = (durationMs / 1000).toFixed(3);
  return (
    `${quotable(client) || '-'} - - [${commonTime(timeMs)}] "${request}" ` +
    `${statusOf(end)} ${bytesSent} ${bytesReceived} ${seconds} "${end}"\n`
  );
}

function statusOf(end: TcpEnd): number {
  if (end === 'no backend') return 502;
  if (end === 'client gone') return 499;
  return end === 'no certificate' ? 403 : 200;
}
