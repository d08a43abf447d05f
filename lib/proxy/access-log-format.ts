/**
 * A line of the access log. PURE.
 *
 * Names and targets are the client's: no octet of theirs ends a line or a quoted value, and nothing but printable ASCII
 * comes out.
 */
import type { AccessLogSettings } from '../config/settings.js';

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
  readonly method: string;
  readonly target: string;
  /** `1.0`, `1.1` or `2.0`. */
  readonly httpVersion: string;
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
}

/** The line for a request, with its newline. */
export function accessLine(entry: AccessEntry, format: AccessLogSettings['format']): string {
  return format === 'json' ? jsonLine(entry) : commonLine(entry);
}

function jsonLine(entry: AccessEntry): string {
  const text = JSON.stringify({
    time: new Date(entry.timeMs).toISOString(),
    id: entry.id,
    client: entry.client,
    name: entry.name,
    tier: entry.tier,
    host: entry.host,
    method: entry.method,
    target: entry.target,
    protocol: `HTTP/${entry.httpVersion}`,
    status: entry.status,
    bytes: entry.bytes,
    ms: Math.round(entry.durationMs * 1000) / 1000,
    tls: entry.tls,
    ...(entry.isCut && { cut: true }),
  });
  // JSON allows characters that a terminal acts upon. All of it that is not ASCII is inside strings.
  const ascii = text.replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `${ascii}\n`;
}

/** The common log format has no place for a cut: the bytes tell, or 499. */
function commonLine(entry: AccessEntry): string {
  const { client, method, target, httpVersion, status, bytes, timeMs } = entry;
  const request = `${quotable(method)} ${quotable(target)} HTTP/${httpVersion}`;
  return `${quotable(client) || '-'} - - [${commonTime(timeMs)}] "${request}" ${status} ${bytes}\n`;
}

/** Escapes as nginx does: `\xHH` for each octet of what is not printable ASCII, a quote or a backslash. */
function quotable(text: string): string {
  return text.replace(/[^\x20-\x7e]|["\\]/gu, (character) => {
    const unit = character.charCodeAt(0);
    // Node gives the octets of a target as one character each.
    const octets = unit < 0x100 ? [unit] : [...Buffer.from(character)];
    return octets.map((octet) => `\\x${octet.toString(16).toUpperCase().padStart(2, '0')}`).join('');
  });
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `24/Nov/2026:07:23:36 +0000`: always in UTC. */
function commonTime(timeMs: number): string {
  const date = new Date(timeMs);
  const day = String(date.getUTCDate()).padStart(2, '0');
  const time = date.toISOString().slice(11, 19);
  return `${day}/${MONTHS[date.getUTCMonth()]}/${date.getUTCFullYear()}:${time} +0000`;
}
