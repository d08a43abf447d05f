/**
 * How a response is written on HTTP/1.1. A character of a head is an octet (latin1), whatever the backend means by it.
 *
 * What is written in one turn goes out together, as one chunk where the response has chunks: a backend's small pieces cost a record
 * each otherwise.
 */
import { STATUS_CODES } from 'node:http';
import { fieldLines } from '../../headers/fields.js';
import { dateNow } from '../date-field.js';
import type { ClientConnection } from '../client-connection.js';
import type { ErrorStatus } from '../pages.js';
import { CommonResponseWriter, type ResponseWriter } from '../response-writer.js';
import type { RequestHead } from './request-head.js';

/** The connection, as the writer of a response sees it. */
export interface ResponseConnection {
  readonly client: Pick<ClientConnection, 'negotiated'>;
  /** Whether it is to be kept after a response whose head is now made. */
  isKept(): boolean;
  /** The fields that tell a client that it is. */
  readonly keepAliveFields: string;
  /** It ends with the response, whatever `isKept` has said. */
  endAfterResponse(): void;
  /** What is left of the request is dropped. */
  dropRequest(): void;
  /** What is written now may be overwritten afterwards. */
  readonly encryptsAtOnce: boolean;
  /** @returns false when the client is slow: `onDrain` follows. */
  write(text: string, pieces: readonly Buffer[], tail: string): boolean;
  /** The response has ended. */
  onEnd(): void;
  /** Closes the connection at once. */
  destroy(): void;
}

/** What a response depends on of its request. */
export type AnsweredRequest = Pick<RequestHead, 'method' | 'version' | 'accept'>;

/** From here on what was written goes out at once. */
const MAX_JOINED_BYTES = 16_384;
/** 15 digits are exact in a number. */
const LENGTH = /^\d{1,15}$/;

/**
 * These end the connection: a request that is malformed to us may hide another one that somebody else would read, and a misdirected
 * one has come by the wrong connection.
 */
const ENDING: ReadonlySet<ErrorStatus> = new Set<ErrorStatus>([400, 405, 408, 421, 431, 501, 505]);

type Framing = 'none' | 'length' | 'chunks' | 'until close';

export class Http1ResponseWriter extends CommonResponseWriter implements ResponseWriter {
  status = 0;
  bodyBytes = 0;
  readonly waitingBytes = 0;
  isWhole = false;
  headersSent = false;
  isOver = false;
  readonly #connection: ResponseConnection;
  readonly #isToHead: boolean;
  readonly #isHttp10: boolean;
  #framing: Framing = 'none';
  /** What is missing of a body that has a length. */
  #left = 0;
  /** The head, until it goes out. */
  #headText = '';
  /** Of the body, until they go out. */
  #pieces: Buffer[] = [];
  #pieceBytes = 0;
  #isFlushing = false;
  /** The client was slow at the last write. That is seen at the end of a turn, and told to whoever writes next. */
  #isBlocked = false;
  #isClosed = false;
  #onDrain: (() => void) | undefined;
  #onClose: (() => void)[] = [];

  constructor(id: string, { method, version, accept }: AnsweredRequest, connection: ResponseConnection) {
    super(id, accept);
    this.#connection = connection;
    this.#isToHead = method === 'HEAD';
    this.#isHttp10 = version === '1.0';
  }

  protected get negotiated(): readonly string[] {
    return this.#connection.client.negotiated;
  }

  inform(status: number, headers: readonly string[]): void {
    if (this.#isHttp10 || this.headersSent || this.isOver) return;
    const text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${fieldLines(headers)}\r\n`;
    this.#connection.write(text, [], '');
  }

  head(status: number, statusMessage: string | undefined, headers: readonly string[], isAll = false): void {
    if (this.headersSent || this.isOver) return;
    this.headersSent = true;
    this.status = status;
    const hasNoBody = this.#isToHead || status === 204 || status === 304;
    let text = `HTTP/1.1 ${status} ${statusMessage ?? STATUS_CODES[status] ?? ''}\r\n`;
    let length: string | undefined;
    let hasDate = false;
    let hasUpgrade = false;
    for (let i = 0; i + 1 < headers.length; i += 2) {
      const name = headers[i] ?? '';
      const value = headers[i + 1] ?? '';
      if (name.length === 4) hasDate ||= name.toLowerCase() === 'date';
      else if (name.length === 7) hasUpgrade ||= name.toLowerCase() === 'upgrade';
      else if (name.length === 14 && name.toLowerCase() === 'content-length') {
        if (length !== undefined || !LENGTH.test(value)) continue;
        length = value;
      }
      text += `${name}: ${value}\r\n`;
    }
    if (!hasDate) text += `Date: ${dateNow()}\r\n`;
    if (hasNoBody) this.#framing = 'none';
    else if (length !== undefined || isAll) {
      this.#framing = 'length';
      this.#left = Number(length ?? 0);
      if (length === undefined) text += 'Content-Length: 0\r\n';
    } else if (this.#isHttp10) {
      this.#framing = 'until close';
      this.#connection.endAfterResponse();
    } else {
      this.#framing = 'chunks';
      text += 'Transfer-Encoding: chunked\r\n';
    }
    const isKept = this.#connection.isKept();
    if (hasUpgrade) text += `Connection: ${isKept ? 'upgrade' : 'close, upgrade'}\r\n\r\n`;
    else text += isKept ? this.#connection.keepAliveFields : 'Connection: close\r\n\r\n';
    this.#headText = text;
    this.#flushSoon();
  }

  write(chunk: Buffer, isShared = false): boolean {
    if (!this.headersSent || this.isOver || chunk.length === 0) return true;
    if (this.#framing === 'none') return true;
    this.bodyBytes += chunk.length;
    if (this.#framing === 'length') {
      this.#left -= chunk.length;
      if (this.#left < 0) {
        // More than was said: the client would take the rest for its next response.
        this.cut();
        return true;
      }
    }
    const isLarge = chunk.length >= MAX_JOINED_BYTES;
    const isTakenAtOnce = !isShared || (isLarge && this.#connection.encryptsAtOnce);
    this.#pieces.push(isTakenAtOnce ? chunk : Buffer.from(chunk));
    this.#pieceBytes += chunk.length;
    if (this.#pieceBytes >= MAX_JOINED_BYTES) return this.#send('');
    this.#flushSoon();
    return !this.#isBlocked;
  }

  end(trailers: readonly string[]): boolean {
    if (!this.headersSent || this.isOver) return true;
    if (this.#framing === 'length' && this.#left > 0) {
      this.cut();
      return true;
    }
    this.isOver = true;
    const isTaken = this.#send(this.#framing === 'chunks' ? `0\r\n${fieldLines(trailers)}\r\n` : '');
    this.#connection.onEnd();
    return isTaken;
  }

  cut(): void {
    if (this.#isClosed) return;
    this.isOver = true;
    // The client gets what there was.
    this.#send('');
    this.#connection.destroy();
  }

  override refuse(status: ErrorStatus, headers: Readonly<Record<string, string>> = {}): void {
    if (ENDING.has(status)) this.#connection.endAfterResponse();
    super.refuse(status, headers);
  }

  protected override dropRequest(): void {
    this.#connection.dropRequest();
  }

  onDrain(listener: () => void): void {
    this.#onDrain = listener;
  }

  onClose(listener: () => void): void {
    this.#onClose.push(listener);
  }

  /** For the connection: the client takes more again. */
  drained(): void {
    this.#isBlocked = false;
    this.#onDrain?.();
  }

  /** For the connection: all has gone out, or the client has gone. */
  close(isWhole: boolean): void {
    this.isOver = true;
    this.#isClosed = true;
    this.isWhole = isWhole;
    const listeners = this.#onClose;
    this.#onClose = [];
    for (const listener of listeners) listener();
  }

  /** Sends what waits: at the end of the turn. */
  flush(): void {
    this.#isFlushing = false;
    if (!this.isOver) this.#send('');
  }

  #flushSoon(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    process.nextTick(flushWriter, this);
  }

  /** @param last what ends the body. */
  #send(last: string): boolean {
    let text = this.#headText;
    let tail = last;
    const pieces = this.#pieces;
    if (text === '' && pieces.length === 0 && last === '') return !this.#isBlocked;
    if (this.#framing === 'chunks' && pieces.length > 0) {
      text += `${this.#pieceBytes.toString(16)}\r\n`;
      tail = `\r\n${last}`;
    }
    this.#headText = '';
    this.#pieces = [];
    this.#pieceBytes = 0;
    this.#isBlocked = !this.#connection.write(text, pieces, tail);
    return !this.#isBlocked;
  }
}

function flushWriter(writer: Http1ResponseWriter): void {
  writer.flush();
}
