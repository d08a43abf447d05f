/**
 * How a response is written to a client, whether on HTTP/1.1 or on HTTP/2.
 */
import type { TimeoutName } from '../../domain/timeout-name.js';
import { errorPage, type ErrorStatus, type Page } from './pages.js';
import { REQUEST_ID } from './request-id.js';

/** Who has answered a request: a backend, the admin routes, or the proxy itself, where nobody else has. */
export type Answerer = 'backend' | 'proxy' | 'admin';

export interface ResponseWriter {
  /**
   * Of the request: on our pages, in the log, and as `X-Request-Id` to the backend and to the client. 16 hex digits, or what a trusted
   * proxy has sent.
   */
  id: string;
  /** A head has been given: the response can no longer be another one. */
  readonly headersSent: boolean;
  /** The response has ended, or its client has gone: nothing is written any more. */
  readonly isOver: boolean;
  /** Of the head; 0 before it. */
  readonly status: number;
  /** Of the body, as given; behind a change of protocol all that was sent. */
  readonly bodyBytes: number;
  /** Of a stream of HTTP/2: what it holds until the client lets it on to the connection. 0 where the connection carries nothing else. */
  readonly waitingBytes: number;
  /** All of the response has been handed to the connection. */
  readonly isWhole: boolean;
  /** By which time-out the request has ended: for the access log. */
  timeout: TimeoutName | undefined;
  /** For the metrics. */
  by: Answerer;
  /** An informational response, of which there may be several before the head: 103 (Early Hints), 102, 104. */
  inform(status: number, headers: readonly string[]): void;
  /**
   * Begins the response. It goes out with what is written in the same turn.
   *
   * @param headers flat; they must have been looked at: a parser has read them.
   * @param isAll no body and no trailers follow. `end` does, all the same.
   * @param neverIndexedNames in lower case: fields that must never be indexed on HTTP/2 (RFC 7541 §6.2.3).
   */
  head(
    status: number,
    statusMessage: string | undefined,
    headers: readonly string[],
    isAll?: boolean,
    neverIndexedNames?: readonly string[],
  ): void;
  /**
   * @param isShared the chunk is overwritten afterwards. @default false
   * @returns false when the client is slow: wait for `onDrain`.
   */
  write(chunk: Buffer, isShared?: boolean): boolean;
  /** @returns false when the client is slow in taking it. */
  end(trailers: readonly string[]): boolean;
  /** Cuts the response: it is not whole. */
  cut(): void;
  /** Answers with a text, unless the response has begun or the client has gone. What is left of the request is read and dropped. */
  send(status: number, text: string, headers: Readonly<Record<string, string>>): void;
  /** Answers with a page of ours, likewise. */
  sendPage(page: Page, headers?: Readonly<Record<string, string>>): void;
  /** Answers with an error page. */
  refuse(status: ErrorStatus, headers?: Readonly<Record<string, string>>): void;
  /** Answers with an error page where a response has not begun, else cuts it. */
  fail(status: ErrorStatus): void;
  /** Calls back whenever the client takes more again. One listener. */
  onDrain(listener: () => void): void;
  /** The response has come to its end, or the client has gone before that. */
  onClose(listener: () => void): void;
}

/** What is the same on HTTP/1.1 and on HTTP/2. */
export abstract class CommonResponseWriter {
  id: string;
  timeout: TimeoutName | undefined;
  by: Answerer = 'proxy';
  readonly #accept: string | undefined;
  readonly #isToTunnel: boolean;

  /**
   * @param id of the request: on error pages.
   * @param accept the client's `Accept`.
   * @param isToTunnel the request is an extended CONNECT: a status of 2xx would say that its tunnel is open.
   */
  constructor(id: string, accept: string | undefined, isToTunnel = false) {
    this.id = id;
    this.#accept = accept;
    this.#isToTunnel = isToTunnel;
  }

  abstract readonly headersSent: boolean;
  abstract readonly isOver: boolean;
  abstract head(status: number, statusMessage: string | undefined, headers: readonly string[]): void;
  abstract write(chunk: Buffer): boolean;
  abstract end(trailers: readonly string[]): boolean;
  abstract cut(): void;
  /** See `ClientConnection`. */
  protected abstract readonly negotiated: readonly string[];
  /** The rest of the request is not wanted: where some is still to come, its connection or stream ends with the response. */
  protected abstract dropRequest(): void;

  send(status: number, text: string, headers: Readonly<Record<string, string>>): void {
    if (this.headersSent || this.isOver) return;
    // There are pages for GET only.
    if (this.#opensTunnel(status)) {
      this.refuse(405, { allow: 'GET, HEAD' });
      return;
    }
    this.dropRequest();
    const body = Buffer.from(text);
    const fields = Object.entries(headers).flat();
    // RFC 9110 §8.6: none with a 204.
    if (status !== 204) fields.push('Content-Length', String(body.length));
    fields.push(REQUEST_ID, this.id);
    this.head(status, undefined, fields);
    this.write(body);
    this.end([]);
  }

  sendPage(page: Page, headers: Readonly<Record<string, string>> = {}): void {
    this.send(page.status, page.body, { 'Content-Type': page.contentType, ...headers });
  }

  refuse(status: ErrorStatus, headers: Readonly<Record<string, string>> = {}): void {
    if (this.headersSent || this.isOver) return;
    const { id, negotiated } = this;
    this.sendPage(errorPage(status, { id, accept: this.#accept ?? '', negotiated }), headers);
  }

  fail(status: ErrorStatus): void {
    if (this.headersSent) this.cut();
    else this.refuse(status);
  }

  /** @throws Error: the request wants a tunnel, none is open, and the status would say that one is. */
  protected checkStatus(status: number): void {
    if (this.#opensTunnel(status)) throw new Error(`the backend answers ${status}, not 101`);
  }

  #opensTunnel(status: number): boolean {
    return this.#isToTunnel && status >= 200 && status < 300;
  }
}
