/**
 * How a response is written to a client, whether on HTTP/1.1 or on HTTP/2.
 */
import type { ClientRequest, ClientResponse } from './client-message.js';
import { toObject } from '../headers/to-object.js';
import { errorPage, type ErrorStatus } from './pages.js';
import { isGone, sendPage } from './send.js';

/** What an exchange can do with a client's response. */
export interface ResponseWriter {
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
  /** Answers with an error page where a response has not begun, else cuts it. */
  fail(status: ErrorStatus): void;
  /** The rest of the request is not wanted: where some is still to come, its connection or stream ends with the response. */
  endAfterResponse(): void;
  /** The trailers of the request, once its body has ended; flat. */
  requestTrailers(): readonly string[];
  onDrain(listener: () => void): void;
  /** The response has come to its end, or the client has gone before that. */
  onClose(listener: () => void): void;
}

/** What a response writer is made of. */
export interface ResponseWriterParts<Request extends ClientRequest, Response extends ClientResponse> {
  readonly request: Request;
  readonly response: Response;
  /** Of the request: on error pages. */
  readonly id: string;
  /** The client has sent `Expect: 100-continue`. */
  readonly awaitsContinue: boolean;
}

/** What is the same on HTTP/1.1 and on HTTP/2. */
export abstract class CommonResponseWriter<Request extends ClientRequest, Response extends ClientResponse> {
  protected readonly request: Request;
  protected readonly response: Response;
  readonly #id: string;
  #awaitsContinue: boolean;

  constructor({ request, response, id, awaitsContinue }: ResponseWriterParts<Request, Response>) {
    this.request = request;
    this.response = response;
    this.#id = id;
    this.#awaitsContinue = awaitsContinue;
  }

  get headersSent(): boolean {
    return this.response.headersSent;
  }

  abstract endAfterResponse(): void;
  abstract cut(): void;

  invite(): void {
    if (!this.#awaitsContinue || this.headersSent || isGone(this.response)) return;
    this.#awaitsContinue = false;
    this.response.writeContinue();
  }

  write(chunk: Buffer): boolean {
    // A common type: the two responses overload `write` too differently for TypeScript to call it.
    const response: { write(chunk: Buffer): boolean } = this.response;
    return response.write(chunk);
  }

  end(trailers: readonly string[]): void {
    if (trailers.length > 0) this.response.addTrailers(toObject(trailers));
    this.response.end();
  }

  refuse(status: ErrorStatus, headers: Readonly<Record<string, string>> = {}): void {
    this.endAfterResponse();
    const page = errorPage(status, { id: this.#id, accept: this.request.headers.accept });
    sendPage(this.response, page, headers);
  }

  fail(status: ErrorStatus): void {
    if (this.headersSent) this.cut();
    else this.refuse(status);
  }

  requestTrailers(): readonly string[] {
    return this.request.rawTrailers;
  }

  onDrain(listener: () => void): void {
    this.response.on('drain', listener);
  }
}
