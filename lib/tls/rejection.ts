/**
 * What a client is answered that gets no handshake, before its connection ends.
 */
import type { RawConnection } from '../net/raw-connection.js';

/** To a client that speaks HTTP without TLS. */
export const PLAIN_HTTP_ANSWER = (() => {
  const body = 'This port speaks TLS: use https:// instead of http://\n';
  return [
    'HTTP/1.1 400 Bad Request',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${body.length}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n');
})();

/** unrecognized_name (RFC 6066 §3). */
const UNRECOGNIZED_NAME = 112;

/**
 * A record of its own with a fatal alert: before the ServerHello it goes in the clear.
 *
 * @param description RFC 8446 §6.
 */
export function alertRecord(description: number): Buffer {
  return Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, description]);
}

export const UNRECOGNIZED_NAME_ALERT = alertRecord(UNRECOGNIZED_NAME);

/**
 * Answers and waits for the client to close: what is still coming in is read and dropped, or the answer would be lost to a reset.
 *
 * @param timeoutMs the longest that it waits.
 */
export function answerAndEnd(raw: RawConnection, answer: string | Buffer, timeoutMs: number): void {
  const socket = raw.toSocket();
  const timer = setTimeout(() => socket.destroy(), timeoutMs);
  socket.on('error', () => undefined);
  socket.once('close', () => clearTimeout(timer));
  socket.resume().end(answer);
}
