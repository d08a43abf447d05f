/**
 * How a response is written on HTTP/2.
 */
import type { ServerHttp2Stream } from 'node:http2';
import { checkSize, responseFields } from '../response-fields.js';
import { respond } from './respond.js';
import { stopUpload } from './stopped-uploads.js';
import { toObject } from '../../headers/to-object.js';
import type { ClientConnection } from '../client-connection.js';
import { CommonResponseWriter, type ResponseWriter } from '../response-writer.js';
import { writeCopy } from '../../../net/write-copy.js';

const OK = 200;

export interface Http2RequestFacts {
  /** Of the request: on error pages. */
  readonly id: string;
  readonly accept: string | undefined;
  readonly isToHead: boolean;
  /** The request is an extended CONNECT: a status of 2xx would say that its tunnel is open. */
  readonly isToTunnel: boolean;
  readonly connection: Pick<ClientConnection, 'negotiated'>;
  /** What is left of the request is dropped. */
  dropRequest(): void;
}

export class NodeResponseWriter extends CommonResponseWriter implements ResponseWriter {
  status = 0;
  bodyBytes = 0;
  headersSent = false;
  readonly #stream: ServerHttp2Stream;
  readonly #facts: Http2RequestFacts;
  #hasNoBody = false;
  #hasEnded = false;
  #isTunnel = false;
  #trailers: readonly string[] = [];

  constructor(stream: ServerHttp2Stream, facts: Http2RequestFacts) {
    super(facts.id, facts.accept, facts.isToTunnel);
    this.#stream = stream;
    this.#facts = facts;
  }

  get isOver(): boolean {
    const { destroyed, closed } = this.#stream;
    // One that is reset is closed before it is destroyed, and takes no response any more.
    return this.#hasEnded || destroyed || closed;
  }

  get waitingBytes(): number {
    return this.#stream.writableLength;
  }

  get isWhole(): boolean {
    return this.#isTunnel || (this.#hasEnded && this.#stream.writableFinished);
  }

  protected get negotiated(): readonly string[] {
    return this.#facts.connection.negotiated;
  }

  inform(status: number, headers: readonly string[]): void {
    if (this.headersSent || this.isOver) return;
    try {
      this.#stream.additionalHeaders(toObject(responseFields(status, headers)));
    } catch {
      // One that Node does not understand is left out.
    }
  }

  /** @throws Error: Node refuses a field, or the status; the fields are too large for HTTP/2; the request wants a tunnel, and none is open. */
  head(
    status: number,
    _statusMessage: string | undefined,
    headers: readonly string[],
    isAll = false,
    neverIndexedNames?: readonly string[],
  ): void {
    const stream = this.#stream;
    if (this.headersSent || this.isOver) return;
    this.checkStatus(status);
    this.#hasNoBody = this.#facts.isToHead || status === 204 || status === 304;
    const isAllSaid = isAll || this.#hasNoBody;
    // Also for a body that has a length: where its end goes out by itself, Node makes an error of each response (10 % of all CPU time).
    const waitForTrailers = !isAllSaid;
    respond(stream, status, headers, { endStream: isAllSaid, waitForTrailers }, neverIndexedNames);
    if (waitForTrailers) stream.once('wantTrailers', () => stream.sendTrailers(toObject(this.#trailers)));
    this.headersSent = true;
    this.status = status;
  }

  /** Answers that the tunnel is open. What goes through it goes to the stream, and is to be counted. */
  openTunnel(headers: readonly string[]): void {
    respond(this.#stream, OK, headers, {});
    this.headersSent = true;
    this.status = OK;
    this.#isTunnel = true;
  }

  write(chunk: Buffer, isShared = false): boolean {
    if (!this.headersSent || this.isOver || this.#hasNoBody) return true;
    this.bodyBytes += chunk.length;
    return isShared ? writeCopy(this.#stream, chunk) : this.#stream.write(chunk);
  }

  /** @throws RangeError the trailers are too large for HTTP/2 */
  end(trailers: readonly string[]): boolean {
    if (!this.headersSent || this.isOver) return true;
    checkSize(trailers);
    this.#hasEnded = true;
    this.#trailers = trailers;
    this.#stream.end();
    this.#stopUpload(trailers.length > 0 ? 'wantTrailers' : 'finish');
    return this.waitingBytes === 0;
  }

  cut(): void {
    // `close` would end the stream first: a body without a length would look whole.
    this.#stream.destroy(new Error('the response is cut'));
  }

  protected override dropRequest(): void {
    this.#facts.dropRequest();
    this.#stopUpload('finish');
  }

  onDrain(listener: () => void): void {
    this.#stream.on('drain', listener);
  }

  onClose(listener: () => void): void {
    this.#stream.on('close', listener);
  }

  /** Once the response is out, a client that still sends its request is told to stop (RFC 9113 §8.1). */
  #stopUpload(lastEvent: 'finish' | 'wantTrailers'): void {
    const stream = this.#stream;
    const isDone = (): boolean =>
      stream.endAfterHeaders || stream.readableEnded || stream.destroyed || stream.closed;
    if (isDone()) return;
    const stop = (): void => {
      // Wait until what was written has gone out.
      setImmediate(() => {
        if (!isDone()) stopUpload(stream);
      });
    };
    // A response that is a head alone has ended with it.
    if (stream.writableFinished) stop();
    else stream.once(lastEvent, stop);
  }
}
