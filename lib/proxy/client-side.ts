/**
 * The client's side of an exchange: how a response is written on HTTP/1.1 and on HTTP/2.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { constants, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import { toObject } from './fields.js';
import { lingerOnClose } from './linger.js';
import type { ErrorStatus, Page } from './pages.js';
import { isGone, sendPage } from './send.js';

/** What the pipeline does to the client. */
export interface ClientSide {
  readonly headersSent: boolean;
  /** The body is wanted: lets a client go on that waits for `100 Continue`. */
  invite(): void;
  /** An informational response, 103 for example. */
  inform(status: number, headers: readonly string[]): void;
  /** @param isAll no body and no trailers follow. `end` does, all the same. */
  head(status: number, statusMessage: string | undefined, headers: readonly string[], isAll?: boolean): void;
  /** Sends a head that has not gone out with a body. */
  flush(): void;
  /** @returns false when the client is slow: wait for `onDrain`. */
  write(chunk: Buffer): boolean;
  end(trailers: readonly string[]): void;
  /** Cuts the response: it is not whole. */
  cut(): void;
  /** Answers with an error page instead. What is left of the request is read and dropped. */
  refuse(status: ErrorStatus, headers?: Readonly<Record<string, string>>): void;
  /** Nobody waits for the rest of the request: its connection can serve no other. */
  endAfterResponse(): void;
  /** The trailers of the request, once its body has ended; flat. */
  requestTrailers(): readonly string[];
  onDrain(listener: () => void): void;
  /** The response has come to its end, or the client has gone before that. */
  onClose(listener: () => void): void;
}

/** The page for an error: content negotiation and request id are in it. */
export type PageFor = (status: ErrorStatus) => Page;

export class Http1ClientSide implements ClientSide {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #pageFor: PageFor;
  #awaitsContinue: boolean;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    options: { readonly pageFor: PageFor; readonly awaitsContinue: boolean },
  ) {
    this.#request = request;
    this.#response = response;
    this.#pageFor = options.pageFor;
    this.#awaitsContinue = options.awaitsContinue;
  }

  invite(): void {
    if (!this.#awaitsContinue || this.headersSent || isGone(this.#response)) return;
    this.#awaitsContinue = false;
    this.#response.writeContinue();
  }

  get headersSent(): boolean {
    return this.#response.headersSent;
  }

  inform(status: number, headers: readonly string[]): void {
    // Node writes no other informational response than this by itself; 100 is a matter of each hop.
    if (status !== 103 || this.#request.httpVersionMinor === 0 || this.headersSent) return;
    const hints = toObject(headers);
    if (hints['link'] !== undefined) this.#response.writeEarlyHints(hints);
  }

  head(status: number, statusMessage: string | undefined, headers: readonly string[]): void {
    this.endAfterResponse();
    this.#response.writeHead(status, statusMessage, [...headers]);
  }

  flush(): void {
    if (!isGone(this.#response)) this.#response.flushHeaders();
  }

  write(chunk: Buffer): boolean {
    return this.#response.write(chunk);
  }

  end(trailers: readonly string[]): void {
    if (trailers.length > 0) this.#response.addTrailers(toObject(trailers));
    this.#response.end();
  }

  cut(): void {
    this.#response.destroy();
  }

  refuse(status: ErrorStatus, headers: Readonly<Record<string, string>> = {}): void {
    // What is malformed for us may hide another request for somebody else: the connection ends.
    if (status === 400 || status === 408 || status === 431 || status === 501)
      this.#response.shouldKeepAlive = false;
    this.endAfterResponse();
    // That of a head that could not be written.
    this.#response.statusMessage = '';
    sendPage(this.#response, this.#pageFor(status), headers);
  }

  requestTrailers(): readonly string[] {
    return this.#request.rawTrailers;
  }

  onDrain(listener: () => void): void {
    this.#response.on('drain', listener);
  }

  onClose(listener: () => void): void {
    this.#response.on('close', listener);
  }

  endAfterResponse(): void {
    // A head without a body is not complete before its handler has returned.
    if (this.#request.complete || !announcesBody(this.#request)) return;
    this.#response.shouldKeepAlive = false;
    lingerOnClose(this.#request.socket);
  }
}

export class Http2ClientSide implements ClientSide {
  readonly #request: Http2ServerRequest;
  readonly #response: Http2ServerResponse;
  readonly #pageFor: PageFor;
  #awaitsContinue: boolean;

  constructor(
    request: Http2ServerRequest,
    response: Http2ServerResponse,
    options: { readonly pageFor: PageFor; readonly awaitsContinue: boolean },
  ) {
    this.#request = request;
    this.#response = response;
    this.#pageFor = options.pageFor;
    this.#awaitsContinue = options.awaitsContinue;
  }

  invite(): void {
    if (!this.#awaitsContinue || this.headersSent || isGone(this.#response)) return;
    this.#awaitsContinue = false;
    this.#response.writeContinue();
  }

  get headersSent(): boolean {
    return this.#response.headersSent;
  }

  inform(status: number, headers: readonly string[]): void {
    const { stream } = this.#response;
    if (status === 103 && !this.headersSent && !stream.destroyed) {
      stream.additionalHeaders({ ':status': status, ...toObject(headers) });
    }
  }

  head(status: number, _statusMessage: string | undefined, headers: readonly string[], isAll = false): void {
    const { stream } = this.#response;
    if (!isAll) this.#response.writeHead(status, toObject(headers));
    else if (!stream.destroyed)
      stream.respond({ ':status': status, ...toObject(headers) }, { endStream: true });
  }

  flush(): void {
    // Here a head goes out at once.
  }

  write(chunk: Buffer): boolean {
    return this.#response.write(chunk);
  }

  end(trailers: readonly string[]): void {
    if (trailers.length > 0) this.#response.addTrailers(toObject(trailers));
    this.#response.end();
    this.#stopUpload(trailers.length > 0 ? 'wantTrailers' : 'finish');
  }

  cut(): void {
    // A close would first end it, and a body without a length look whole.
    this.#response.stream.destroy(new Error('the response is cut'));
  }

  refuse(status: ErrorStatus, headers: Readonly<Record<string, string>> = {}): void {
    this.endAfterResponse();
    sendPage(this.#response, this.#pageFor(status), headers);
  }

  endAfterResponse(): void {
    this.#request.resume();
    this.#stopUpload('finish');
  }

  /** Once the response is out, a client that still sends its request is told to stop (RFC 9113 §8.1). */
  #stopUpload(lastEvent: 'finish' | 'wantTrailers'): void {
    const { stream } = this.#response;
    const isDone = (): boolean =>
      stream.endAfterHeaders || this.#request.readableEnded || stream.destroyed || stream.closed;
    if (isDone()) return;
    stream.once(lastEvent, () => {
      // What was written goes out in between.
      setImmediate(() => {
        if (!isDone()) stream.close(constants.NGHTTP2_NO_ERROR);
      });
    });
  }

  requestTrailers(): readonly string[] {
    return this.#request.rawTrailers;
  }

  onDrain(listener: () => void): void {
    this.#response.on('drain', listener);
  }

  onClose(listener: () => void): void {
    this.#response.stream.on('close', listener);
  }
}

/** Whether a body follows the head of a request on HTTP/1.1, if maybe an empty one. */
export function announcesBody({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}
