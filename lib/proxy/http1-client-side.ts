/**
 * How a response is written on HTTP/1.1.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { CommonClientSide, type ClientSide } from './client-side.js';
import { toObject } from './fields.js';
import { lingerOnClose } from './linger.js';
import type { ErrorStatus } from './pages.js';
import { isGone } from './send.js';

/**
 * These end the connection: what is malformed for us may hide another request for somebody else, and what is misdirected has
 * come by the wrong connection.
 */
const ENDING: ReadonlySet<ErrorStatus> = new Set<ErrorStatus>([400, 408, 421, 431, 501]);

export class Http1ClientSide extends CommonClientSide<IncomingMessage, ServerResponse> implements ClientSide {
  inform(status: number, headers: readonly string[]): void {
    // Node writes no other informational response than this by itself; 100 is a matter of each hop.
    if (status !== 103 || this.request.httpVersionMinor === 0 || this.headersSent) return;
    const hints = toObject(headers);
    if (hints['link'] !== undefined) this.response.writeEarlyHints(hints);
  }

  head(status: number, statusMessage: string | undefined, headers: readonly string[]): void {
    this.endAfterResponse();
    // Node only reads them.
    this.response.writeHead(status, statusMessage, headers as string[]);
  }

  flush(): void {
    if (!isGone(this.response)) this.response.flushHeaders();
  }

  cut(): void {
    // Node would send what it was given in the next tick; the client gets to see what there was.
    this.flush();
    this.response.socket?.uncork();
    this.response.destroy();
  }

  override refuse(status: ErrorStatus, headers: Readonly<Record<string, string>> = {}): void {
    if (ENDING.has(status)) this.response.shouldKeepAlive = false;
    // That of a head that could not be written.
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

/** Whether a body follows the head of a request on HTTP/1.1, if maybe an empty one. */
export function announcesBody({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}
