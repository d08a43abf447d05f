/**
 * The answer to bytes that are not a valid HTTP request.
 */
import type { Duplex } from 'node:stream';
import { lingerOnClose, type Closable } from './linger.js';
import { errorPage, titleOf, type ErrorStatus } from './pages.js';
import { newRequestId } from './request-id.js';

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

/** What was answered to an invalid request, or to one that is not served. */
export interface Refusal {
  /** Of the page, and for the log. */
  readonly id: string;
  readonly status: ErrorStatus;
  /** Of the page. */
  readonly bytes: number;
}

/**
 * Answers where that is possible, and closes: for the event `clientError` of Node's HTTP server.
 *
 * @returns undefined where nothing was answered.
 */
export function answerClientError(error: Error & { code?: string }, duplex: Duplex): Refusal | undefined {
  const socket = duplex as ServedSocket;
  // The parser reports its failure again with every further byte.
  if (answered.has(socket)) return undefined;
  answered.add(socket);
  // A connection that a browser opened in advance and did not use.
  const isUnused = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && socket.bytesRead === 0;
  const isAnswered = socket._httpMessage?.headersSent === true;
  if (!socket.writable || error.code === 'ECONNRESET' || isUnused || isAnswered) {
    socket.destroy();
    return undefined;
  }
  return answerAndClose(socket, STATUS_OF_CODE[error.code ?? ''] ?? 400);
}

/** Answers with an error page on a bare connection, and ends that. */
export function answerAndClose(duplex: Duplex, status: ErrorStatus, fields: readonly string[] = []): Refusal {
  const socket = duplex as Closable;
  const id = newRequestId();
  const { contentType, body } = errorPage(status, { id });
  const bytes = Buffer.byteLength(body);
  lingerOnClose(socket);
  socket.write(
    [
      `HTTP/1.1 ${titleOf(status)}`,
      'Connection: close',
      `Content-Type: ${contentType}`,
      `Content-Length: ${bytes}`,
      ...fields,
      '',
      body,
    ].join('\r\n'),
  );
  socket.destroySoon();
  return { id, status, bytes };
}
