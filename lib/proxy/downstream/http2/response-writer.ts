/**
 * How a response is written on a stream of HTTP/2.
 */
import { ErrorCode } from '../../http2/frames.js';
import type { ClientConnection } from '../client-connection.js';
import { dateNow } from '../date-field.js';
import { CommonResponseWriter, type ResponseWriter } from '../response-writer.js';
import { checkSize, responseFields } from '../response-fields.js';
import type { Http2Stream, StreamWriter } from './stream.js';

/** 15 digits are exact in a number. */
const LENGTH = /^\d{1,15}$/;
const OK = 200;

export interface AnsweredRequest {
  readonly id: string;
  readonly accept: string | undefined;
  readonly isToHead: boolean;
  /** The request is an extended CONNECT: a status of 2xx would say that its tunnel is open. */
  readonly isToTunnel: boolean;
  readonly connection: Pick<ClientConnection, 'negotiated'>;
}

export class Http2ResponseWriter extends CommonResponseWriter implements ResponseWriter, StreamWriter {
  status = 0;
  bodyBytes = 0;
  headersSent = false;
  readonly #stream: Http2Stream;
  readonly #request: AnsweredRequest;
  #hasNoBody = false;
  #hasEnded = false;
  #isCut = false;
  #isTunnel = false;
  /** What is missing of a body that has a length; undefined: it has none. */
  #left: number | undefined;
  #onDrain: (() => void) | undefined;
  #onSent: (() => void) | undefined;
  #onClose: (() => void)[] = [];

  constructor(stream: Http2Stream, request: AnsweredRequest) {
    super(request.id, request.accept, request.isToTunnel);
    this.#stream = stream;
    this.#request = request;
    stream.writer = this;
  }

  get isOver(): boolean {
    return this.#hasEnded || this.#stream.isClosed;
  }

  get waitingBytes(): number {
    return this.#stream.waitingBytes;
  }

  get isWhole(): boolean {
    return this.#isTunnel || (this.#hasEnded && !this.#isCut && this.#stream.isSent);
  }

  protected get negotiated(): readonly string[] {
    return this.#request.connection.negotiated;
  }

  inform(status: number, headers: readonly string[]): void {
    if (this.headersSent || this.isOver) return;
    try {
      this.#stream.head(responseFields(status, headers), false);
    } catch {
      // One that is too large for HTTP/2 is left out.
    }
  }

  /** @throws Error: the fields are too large for HTTP/2; the request wants a tunnel, and none is open. */
  head(
    status: number,
    _statusMessage: string | undefined,
    headers: readonly string[],
    isAll = false,
    neverIndexedNames?: readonly string[],
  ): void {
    if (this.headersSent || this.isOver) return;
    this.checkStatus(status);
    const fields = responseFields(status, headers);
    let hasDate = false;
    let length: string | undefined;
    for (let i = 2; i + 1 < fields.length; i += 2) {
      const name = fields[i] ?? '';
      if (name === 'date') hasDate = true;
      else if (name === 'content-length') length = fields[i + 1];
      else if (name === 'priority') this.#stream.owner.onPriorityAnswered(this.#stream, fields[i + 1] ?? '');
    }
    if (!hasDate) fields.push('date', dateNow());
    this.#hasNoBody = this.#request.isToHead || status === 204 || status === 304;
    if (!this.#hasNoBody && length !== undefined && LENGTH.test(length)) this.#left = Number(length);
    this.headersSent = true;
    this.status = status;
    // A head alone is the whole response, for nothing else is told of.
    this.#hasEnded = isAll || this.#hasNoBody;
    this.#stream.head(fields, this.#hasEnded, neverIndexedNames);
  }

  /**
   * Answers that the tunnel is open. What goes through it goes to the stream, and is to be counted.
   *
   * @throws RangeError the fields are too large for HTTP/2
   */
  openTunnel(headers: readonly string[]): void {
    this.#stream.openTunnel(responseFields(OK, headers));
    this.headersSent = true;
    this.status = OK;
    this.#isTunnel = true;
  }

  write(chunk: Buffer, isShared = false): boolean {
    if (!this.headersSent || this.isOver || this.#hasNoBody || chunk.length === 0) return true;
    this.bodyBytes += chunk.length;
    if (this.#left !== undefined) {
      this.#left -= chunk.length;
      if (this.#left < 0) {
        this.cut();
        return true;
      }
    }
    return this.#stream.write(chunk, isShared);
  }

  /** @throws RangeError the trailers are too large for HTTP/2 */
  end(trailers: readonly string[]): boolean {
    if (!this.headersSent || this.isOver) return true;
    checkSize(trailers);
    if (this.#left !== undefined && this.#left > 0) {
      this.cut();
      return true;
    }
    this.#hasEnded = true;
    const lowerCase = trailers.map((part, i) => (i % 2 === 0 ? part.toLowerCase() : part));
    this.#stream.end(lowerCase);
    return this.waitingBytes === 0;
  }

  cut(): void {
    this.#isCut = true;
    this.#stream.reset(ErrorCode.internalError, 'the response was cut');
  }

  protected override dropRequest(): void {
    this.#stream.body?.discard();
  }

  onDrain(listener: () => void): void {
    this.#onDrain = listener;
  }

  /** Calls back when all of the response is handed to the connection. One listener. */
  onSent(listener: () => void): void {
    this.#onSent = listener;
  }

  onClose(listener: () => void): void {
    this.#onClose.push(listener);
  }

  /** For the stream: the client takes more again. */
  drained(): void {
    this.#onDrain?.();
  }

  /** For the stream: all of the response is handed to the connection. */
  sent(): void {
    this.#onSent?.();
  }

  /** For the stream: it is over. */
  close(): void {
    const listeners = this.#onClose;
    this.#onClose = [];
    for (const listener of listeners) listener();
  }
}
