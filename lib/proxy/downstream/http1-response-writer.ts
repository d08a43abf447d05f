/**
 * How a response is written on HTTP/1.1. A character of a head is an octet (latin1), whatever the backend means by it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { CommonResponseWriter, type ResponseWriter } from './response-writer.js';
import { fieldLines } from '../headers/fields.js';
import { responseHeaders } from '../headers/headers.js';
import { lingerOnClose } from './linger.js';
import type { ErrorStatus } from './pages.js';
import { isGone } from './send.js';

/**
 * These end the connection: a request that is malformed to us may hide another one that somebody else would read, and a misdirected
 * one has come by the wrong connection.
 */
const ENDING: ReadonlySet<ErrorStatus> = new Set<ErrorStatus>([400, 408, 421, 431, 501]);

export class Http1ResponseWriter
  extends CommonResponseWriter<IncomingMessage, ServerResponse>
  implements ResponseWriter
{
  inform(status: number, headers: readonly string[]): void {
    // 100 is a matter of each hop, and Node writes 103 only with the one form of `Link` that it knows.
    const { socket } = this.response;
    if (status !== 103 || socket === null || this.request.httpVersionMinor === 0 || this.headersSent) return;
    const fields = responseHeaders(headers);
    socket.write(`HTTP/1.1 103 Early Hints\r\n${fieldLines(fields)}\r\n`, 'latin1');
  }

  head(status: number, statusMessage: string | undefined, headers: readonly string[]): void {
    this.endAfterResponse();
    // Node does not change the list, whatever its type says.
    this.response.writeHead(status, statusMessage, withLengthLast(headers) as string[]);
  }

  flush(): void {
    if (!isGone(this.response)) this.response.flushHeaders();
  }

  cut(): void {
    // Node holds back writes until the next tick: send them now, so that the client gets what there was.
    this.flush();
    this.response.socket?.uncork();
    this.response.destroy();
  }

  override refuse(status: ErrorStatus, headers: Readonly<Record<string, string>> = {}): void {
    if (ENDING.has(status)) this.response.shouldKeepAlive = false;
    // Clear the status message of an earlier head that could not be written.
    this.response.statusMessage = '';
    super.refuse(status, headers);
  }

  onClose(listener: () => void): void {
    this.response.on('close', listener);
  }

  endAfterResponse(): void {
    // A head without a body is not complete before its handler has returned.
    if (this.request.complete || !announcesBody(this.request)) return;
    this.response.shouldKeepAlive = false;
    lingerOnClose(this.request.socket);
  }
}

/** Moves `Content-Length` to the end: Node re-encodes a `Content-Disposition` behind it, which changes its octets. */
function withLengthLast(fields: readonly string[]): readonly string[] {
  let length = -1;
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i] ?? '';
    if (name.length === 14 && name.toLowerCase() === 'content-length') length = i;
    else if (length !== -1 && name.length === 19 && name.toLowerCase() === 'content-disposition') {
      return [...fields.slice(0, length), ...fields.slice(length + 2), ...fields.slice(length, length + 2)];
    }
  }
  return fields;
}

/** Whether a body follows the head of a request on HTTP/1.1, possibly an empty one. */
export function announcesBody({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}
