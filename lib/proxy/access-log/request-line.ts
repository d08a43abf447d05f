/**
 * The access log's line of a request. PURE.
 */
import type { AccessLogSettings } from '../../config/settings.js';
import type { TimeoutName } from '../../domain/timeout-name.js';
import { commonTime, jsonLine, quotable, roundMs } from './text.js';

/** What is told of a request. */
export interface AccessEntry {
  /** When its response ended: milliseconds since 1970. */
  readonly timeMs: number;
  /** As on error pages and in the log. */
  readonly id: string;
  /** The client's address; empty on a unix socket. */
  readonly client: string;
  /** The server name of the handshake. */
  readonly name: string | undefined;
  /** Where the certificate came from; undefined on plain HTTP. */
  readonly tier: string | undefined;
  readonly host: string | undefined;
  /** Undefined, like host, target and version, where the client sent no valid request, or one that was refused unread. */
  readonly method: string | undefined;
  readonly target: string | undefined;
  /** `1.0`, `1.1` or `2.0`. */
  readonly httpVersion: string | undefined;
  /** 499: the client went before there was an answer. */
  readonly status: number;
  /** Of the response's body; of all that was sent behind a 101. */
  readonly bytes: number;
  /** From the head of the request to the end of the response. */
  readonly durationMs: number;
  /** `TLSv1.3` and the like; undefined on plain HTTP. */
  readonly tls: string | undefined;
  /** The response did not come to its end. */
  readonly isCut: boolean;
  /** By which time-out it has ended. */
  readonly timeout?: TimeoutName | undefined;
}

/** The line for a request, with its newline. */
export function accessLine(entry: AccessEntry, format: AccessLogSettings['format']): string {
  return format === 'json' ? objectLine(entry) : commonLine(entry);
}

function objectLine(entry: AccessEntry): string {
  return jsonLine({
    time: new Date(entry.timeMs).toISOString(),
    id: entry.id,
    client: entry.client,
    name: entry.name,
    tier: entry.tier,
    host: entry.host,
    method: entry.method,
    target: entry.target,
    protocol: entry.httpVersion === undefined ? undefined : `HTTP/${entry.httpVersion}`,
    status: entry.status,
    bytes: entry.bytes,
    ms: roundMs(entry.durationMs),
    tls: entry.tls,
    ...(entry.isCut && { cut: true }),
    timeout: entry.timeout,
  });
}

/** The common log format has no field for a cut: the number of bytes tells, or 499. A request that could not be read is `-`, as in nginx. */
function commonLine(entry: AccessEntry): string {
  const { client, method, target, httpVersion, status, bytes, timeMs } = entry;
  const request =
    method === undefined ? '-' : `${quotable(method)} ${quotable(target ?? '')} HTTP/${httpVersion ?? ''}`;
  return `${quotable(client) || '-'} - - [${commonTime(timeMs)}] "${request}" ${status} ${bytes}\n`;
}
