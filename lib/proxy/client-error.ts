/**
 * The answer to what is no HTTP request.
 */
import type { Duplex } from 'node:stream';
import { lingerOnClose, type Closable } from './linger.js';
import { errorPage, type ErrorStatus } from './pages.js';

const STATUS_OF_CODE: Readonly<Record<string, ErrorStatus>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

interface ServedSocket extends Closable {
  readonly bytesRead: number;
  /** The response that Node's server is busy with on it. */
  readonly _httpMessage?: { readonly headersSent: boolean } | null;
}

const answered = new WeakSet<Duplex>();

/** Answers where that is possible, and closes: for the event `clientError` of Node's HTTP server. */
export function answerClientError(error: Error & { code?: string }, duplex: Duplex): void {
  const socket = duplex as ServedSocket;
  // The parser has given up, and says so again with every further byte.
  if (answered.has(socket)) return;
  answered.add(socket);
  // One that was opened to have it ready, and is not used.
  const isUnused = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && socket.bytesRead === 0;
  const isAnswered = socket._httpMessage?.headersSent === true;
  if (!socket.writable || error.code === 'ECONNRESET' || isUnused || isAnswered) {
    socket.destroy();
    return;
  }
  answerAndClose(socket, STATUS_OF_CODE[error.code ?? ''] ?? 400);
}

/** Answers with an error page on a bare connection, and ends that. */
export function answerAndClose(duplex: Duplex, status: ErrorStatus, fields: readonly string[] = []): void {
  const socket = duplex as Closable;
  const { contentType, body } = errorPage(status);
  lingerOnClose(socket);
  socket.write(
    [
      `HTTP/1.1 ${body.trim()}`,
      'Connection: close',
      `Content-Type: ${contentType}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      ...fields,
      '',
      body,
    ].join('\r\n'),
  );
  socket.destroySoon();
}
