/**
 * The status of a connection of TCP mode. PURE.
 *
 * There is no request and no status in it. The status is what nginx's stream module gives a session: 200 where a backend was
 * connected, whatever came of it; 502 where none could be; 403 where there was no certificate for the client's name; and, as
 * of a request, 499 where the client went before a backend was connected. How a connection ended is told in words, where
 * HAProxy's tcplog has two letters.
 */
import type { TcpEnd } from '../tunnel/tcp-record.js';

export function tcpStatus(end: TcpEnd): number {
  if (end === 'no backend') return 502;
  if (end === 'client gone') return 499;
  return end === 'no certificate' ? 403 : 200;
}
