/**
 * The echo of short WebSocket messages (RFC 6455), no more of it than the load needs.
 */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** Before the text of a message of up to 125 bytes: type, length, mask. */
const HEAD_BYTES = 6;

export function echoWebSocket({ headers }: IncomingMessage, socket: Duplex): void {
  const key = headers['sec-websocket-key'] ?? '';
  const accept = createHash('sha1').update(`${key}${GUID}`).digest('base64');
  const fields = ['Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${accept}`];
  socket.write(`HTTP/1.1 101 Switching Protocols\r\n${fields.join('\r\n')}\r\n\r\n`);
  let pending: Buffer = Buffer.alloc(0);
  socket.on('error', () => undefined);
  socket.on('data', (piece: Buffer) => {
    pending = pending.length === 0 ? piece : Buffer.concat([pending, piece]);
    while (pending.length >= HEAD_BYTES) {
      const textBytes = (pending[1] ?? 0) & 0x7f;
      const end = HEAD_BYTES + textBytes;
      if (pending.length < end) return;
      const mask = pending.subarray(2, HEAD_BYTES);
      const echo = Buffer.alloc(2 + textBytes);
      echo[0] = pending[0] ?? 0;
      echo[1] = textBytes;
      for (let i = 0; i < textBytes; i++) echo[2 + i] = (pending[HEAD_BYTES + i] ?? 0) ^ (mask[i % 4] ?? 0);
      socket.write(echo);
      pending = pending.subarray(end);
    }
  });
}
