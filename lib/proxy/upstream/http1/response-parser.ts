/**
 * Reads the response to one request after the other on a connection to a backend, fed with pieces of any size. PURE.
 *
 * The head alone decides where a body ends (RFC 9112 §6.3). Bytes behind the end of a response belong to no response, and are left
 * to the caller.
 */
import { ChunkedParser } from '../../http1/chunked-parser.js';
import { HeadReader } from '../../http1/head-reader.js';
import { MalformedMessage } from '../../http1/malformed.js';
import { MAX_INTERIM_HEADS } from '../upstream.js';
import { parseResponseHead, type ResponseHead } from './response-head.js';

/** The longest head of a response. */
const MAX_HEAD_BYTES = 81_920;
const NO_TRAILERS: readonly string[] = [];

/** Told of a response. Each of these may make the caller give the response up, see `stop`. */
export interface ResponseListener {
  /** The head of an interim response, which comes before the response: 100, 103. */
  onInterimHead(head: ResponseHead): void;
  onResponseHead(head: ResponseHead): void;
  /** The protocol is changed (101). What follows is no HTTP. */
  onUpgradeHead(head: ResponseHead): void;
  /** @param piece a part of what was read. */
  onBodyPiece(piece: Buffer): void;
  /** The last of them. */
  onResponseEnd(trailers: readonly string[]): void;
}

type Body = 'none' | 'length' | 'chunks' | 'until close';

export class ResponseParser {
  readonly #listener: ResponseListener;
  /** A response is expected. */
  #isActive = false;
  #isToHead = false;
  #mayUpgrade = false;
  #head: ResponseHead | undefined;
  #interimHeads = 0;
  #body: Body = 'none';
  /** What is missing of a body that has a length. */
  #left = 0;
  #chunks: ChunkedParser | undefined;
  readonly #headReader = new HeadReader(MAX_HEAD_BYTES);

  constructor(listener: ResponseListener) {
    this.#listener = listener;
  }

  /** Expects the response to a request. @param mayUpgrade it allows the backend to change the protocol. */
  start(method: string, mayUpgrade = false): void {
    this.#isActive = true;
    this.#isToHead = method === 'HEAD';
    this.#mayUpgrade = mayUpgrade;
    this.#interimHeads = 0;
    this.#head = undefined;
  }

  /** Expects nothing more. */
  stop(): void {
    this.#isActive = false;
    this.#head = undefined;
    this.#chunks = undefined;
    this.#headReader.reset();
  }

  /**
   * Reads on.
   *
   * @returns how much was read: less than `bytes` has where the response has ended before, or was given up.
   * @throws MalformedMessage
   */
  read(bytes: Buffer): number {
    let at = 0;
    while (this.#isActive && at < bytes.length) {
      at = this.#head === undefined ? this.#readHead(bytes, at) : this.#readBody(bytes, at);
    }
    return at;
  }

  /** The backend has ended the connection. @returns whether that was the end of the response. */
  end(): boolean {
    if (!this.#isActive || this.#head === undefined || this.#body !== 'until close') return false;
    this.#finish(NO_TRAILERS);
    return true;
  }

  #readHead(bytes: Buffer, start: number): number {
    const end = this.#headReader.read(bytes, start);
    if (end === -1) return bytes.length;
    this.#onHead(this.#headReader.text);
    return end;
  }

  #onHead(text: string): void {
    const head = parseResponseHead(text);
    const { status, contentLength } = head;
    if (status === 101) {
      if (!this.#mayUpgrade) throw new MalformedMessage('it switches protocols (101) without being asked to');
      this.stop();
      this.#listener.onUpgradeHead(head);
      return;
    }
    if (status < 200) {
      this.#interimHeads += 1;
      if (this.#interimHeads > MAX_INTERIM_HEADS)
        throw new MalformedMessage('there are too many interim responses');
      this.#listener.onInterimHead(head);
      return;
    }
    this.#head = head;
    if (this.#isToHead || status === 204 || status === 304) this.#body = 'none';
    else if (head.isChunked) this.#body = 'chunks';
    else if (contentLength === undefined) this.#body = 'until close';
    else this.#body = contentLength === 0 ? 'none' : 'length';
    this.#left = contentLength ?? 0;
    if (this.#body === 'chunks') this.#chunks = new ChunkedParser(true);
    this.#listener.onResponseHead(head);
    if (this.#isActive && this.#body === 'none') this.#finish(NO_TRAILERS);
  }

  #readBody(bytes: Buffer, start: number): number {
    const chunks = this.#chunks;
    if (chunks !== undefined) {
      const end = chunks.read(bytes, start, this.#onChunk);
      if (chunks.isDone && this.#isActive) this.#finish(chunks.trailers);
      return end;
    }
    const end = this.#body === 'length' ? Math.min(bytes.length, start + this.#left) : bytes.length;
    this.#left -= end - start;
    this.#listener.onBodyPiece(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end));
    if (this.#isActive && this.#body === 'length' && this.#left === 0) this.#finish(NO_TRAILERS);
    return end;
  }

  readonly #onChunk = (piece: Buffer): void => {
    if (this.#isActive) this.#listener.onBodyPiece(piece);
  };

  #finish(trailers: readonly string[]): void {
    this.stop();
    this.#listener.onResponseEnd(trailers);
  }
}
