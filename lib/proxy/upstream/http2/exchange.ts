/**
 * One request to an HTTP/2 backend: from the events of Node's stream to those of an engine.
 */
import { constants, type ClientHttp2Stream, type IncomingHttpHeaders } from 'node:http2';
import { describeError } from '../../../domain/errors.js';
import type { SocketReader } from '../../../net/socket-reader.js';
import { takeStreamReads } from '../../../net/socket-reads.js';
import { watchEnd } from '../../../net/watch-end.js';
import { writeCopy } from '../../../net/write-copy.js';
import { neverIndexedNames, toObject } from '../../headers/to-object.js';
import {
  MAX_INTERIM_HEADS,
  outOfTime,
  UpstreamError,
  type UpstreamBody,
  type UpstreamBodySink,
  type UpstreamEvents,
  type UpstreamFailure,
  type UpstreamRequest,
} from '../upstream.js';

export interface Http2RequestOptions {
  readonly headersTimeoutMs: number;
  readonly bodyTimeoutMs: number;
  /** Aborts the stream. */
  readonly abort: AbortController;
  onTimeout(): void;
}

/** Where all responses are read into. A frame is no larger than the 16 KiB that we allow. */
const SHARED = Buffer.allocUnsafeSlow(16_384);

export class Http2Request implements UpstreamBodySink, SocketReader {
  readonly #stream: ClientHttp2Stream;
  readonly #events: UpstreamEvents;
  readonly #options: Http2RequestOptions;
  #trailers: string[] = [];
  #body: UpstreamBody | undefined;
  #requestTrailers: readonly string[] = [];
  #isAborted = false;
  #isPaused = false;
  #hasHead = false;
  /** The backend has said that its response ends. */
  #isWhole = false;
  #interimHeads = 0;
  /** All of the request's body has been given to the stream. */
  #isSent = false;
  #isOver = false;
  /** Node may give bytes before it tells of the head. */
  readonly #early: Buffer[] = [];

  constructor(
    stream: ClientHttp2Stream,
    request: UpstreamRequest,
    events: UpstreamEvents,
    options: Http2RequestOptions,
  ) {
    this.#stream = stream;
    this.#events = events;
    this.#options = options;
    stream.setTimeout(options.headersTimeoutMs);
    stream.on('timeout', this.#onTimeout);
    // Node ends a stream that is reset, too, but has closed it by then. Its `end` does not tell which it was: a slow reader hears of that later.
    watchEnd(stream, () => (this.#isWhole ||= !stream.closed));
    stream.on('headers', (headers: IncomingHttpHeaders) => this.#onInterimHead(headers));
    stream.on('response', (headers, flags) => {
      this.#hasHead = true;
      stream.setTimeout(options.bodyTimeoutMs);
      const isAll = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
      if (isAll) this.#isWhole = true;
      events.onHead(Number(headers[':status']), undefined, flat(headers), isAll, neverIndexedNames(headers));
      for (const piece of this.#early.splice(0)) events.onData(piece, false);
    });
    stream.on('trailers', (headers: IncomingHttpHeaders) => {
      this.#trailers = flat(headers);
      this.#isWhole = true;
    });
    stream.on('end', () => this.#end());
    stream.on('error', (error: Error) => this.#fail(error));
    stream.on('close', () =>
      this.#fail(new Error(`the backend has closed the stream (code ${String(stream.rstCode)})`)),
    );
    stream.on('wantTrailers', () => stream.sendTrailers(toObject(this.#requestTrailers)));
    // A body that nobody has read may still go to another backend.
    if (stream.pending) stream.once('ready', () => this.#begin(request, options));
    else this.#begin(request, options);
  }

  #begin({ body }: UpstreamRequest, options: Http2RequestOptions): void {
    const stream = this.#stream;
    if (this.#isOver) return;
    const reads = takeStreamReads(stream, this);
    reads.start();
    this.#events.onStart({
      pause: () => {
        this.#isPaused = true;
        reads.stop();
      },
      resume: () => {
        this.#isPaused = false;
        stream.setTimeout(options.bodyTimeoutMs);
        reads.start();
      },
      abort: () => {
        this.#isAborted = true;
        this.#cancel();
      },
    });
    if (body === null || this.#isAborted) return;
    this.#body = body;
    stream.on('drain', () => {
      if (!this.#isOver) body.resume();
    });
    body.start(this);
  }

  buffer(): Buffer {
    return SHARED;
  }

  onRead(bytes: Buffer): void {
    if (this.#isOver) return;
    if (this.#hasHead) this.#events.onData(bytes, true);
    else this.#early.push(Buffer.from(bytes));
  }

  onBodyPiece(piece: Buffer): boolean {
    const stream = this.#stream;
    if (!stream.writable) return false;
    if (!writeCopy(stream, piece)) this.#body?.pause();
    return false;
  }

  onBodyEnd(trailers: readonly string[]): void {
    this.#requestTrailers = trailers;
    this.#isSent = true;
    // The backend's time begins with the end of the request.
    if (!this.#hasHead) this.#stream.setTimeout(this.#options.headersTimeoutMs);
    this.#stream.end();
  }

  onBodyFailure(reason: string): void {
    this.#isAborted = true;
    this.#fail(new UpstreamError('aborted', true, `the body of the request broke off: ${reason}`));
    this.#cancel();
  }

  #onInterimHead(headers: IncomingHttpHeaders): void {
    if (this.#isOver) return;
    this.#interimHeads += 1;
    if (this.#interimHeads <= MAX_INTERIM_HEADS) {
      this.#events.onInformation(Number(headers[':status']), flat(headers));
      return;
    }
    this.#fail(new UpstreamError('malformed', true, 'there are too many interim responses'));
    this.#cancel();
  }

  #end(): void {
    // A stream that was reset ends as well, also one without an error: its response is not whole.
    if (this.#isOver || !this.#hasHead || !this.#isWhole || this.#stream.rstCode) return;
    this.#leave();
    // The backend has answered: it does not want the rest of the request.
    if (!this.#stream.writableEnded) this.#cancel();
    this.#events.onEnd(this.#trailers);
  }

  /** Nothing more is told; what is left of the request's body is for another attempt, or for nobody. */
  #leave(): void {
    this.#isOver = true;
    if (!this.#isSent) this.#body?.stop();
  }

  /** A close first ends what is open: a half body would look like a whole one. What is aborted is only reset. */
  #cancel(): void {
    if (this.#stream.writableEnded) this.#stream.close(constants.NGHTTP2_CANCEL);
    else this.#options.abort.abort();
  }

  /** The next piece of the request has to come, and the backend would take it. */
  get #waitsForClient(): boolean {
    return !this.#hasHead && this.#body !== undefined && !this.#isSent && !this.#stream.writableNeedDrain;
  }

  readonly #onTimeout = (): void => {
    // A client that is slow, in sending or in taking, is not the backend's fault.
    if (this.#isPaused || this.#isOver || this.#waitsForClient) return;
    this.#options.onTimeout();
    this.#fail(
      this.#hasHead
        ? outOfTime('backend-body-timeout', true, 'the backend sends no more of its response')
        : outOfTime('backend-headers-timeout', true, 'the backend does not answer'),
    );
    this.#cancel();
  };

  #fail(error: Error): void {
    if (this.#isOver) return;
    this.#leave();
    const known = [error, error.cause].find((one) => one instanceof UpstreamError);
    const wasRefused = this.#stream.rstCode === constants.NGHTTP2_REFUSED_STREAM;
    // A stream gets its number when its head goes out.
    const hasNumber = this.#stream.id !== undefined;
    const sent = known?.sent ?? (hasNumber && !wasRefused);
    const lost = this.#isProtocolError(error) ? 'malformed' : 'broken';
    const kind: UpstreamFailure = this.#isAborted
      ? 'aborted'
      : (known?.kind ?? (hasNumber ? lost : 'connect'));
    const { timeout } = known ?? {};
    this.#events.onError(new UpstreamError(kind, sent, describeError(error), { cause: error, timeout }));
  }

  /** One side has found what the other sent to be malformed. */
  #isProtocolError(error: Error): boolean {
    // Node's code for an error of the whole connection that nghttp2 has found.
    if ('code' in error && error.code === 'ERR_HTTP2_ERROR') return true;
    return this.#stream.rstCode === constants.NGHTTP2_PROTOCOL_ERROR;
  }
}

function flat(headers: IncomingHttpHeaders): string[] {
  const fields: string[] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(':') || value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) fields.push(name, one);
  }
  return fields;
}
