/**
 * Reads one request after the other on a client's connection, fed with pieces of any size. PURE.
 *
 * The head alone decides where a body ends (RFC 9112 §6.3). Reading stops behind the end of a request: what follows belongs to
 * the next one, which is read after `next`.
 */
import { ChunkedParser } from '../../http1/chunked-parser.js';
import { HeadReader } from '../../http1/head-reader.js';
import { MalformedMessage } from '../../http1/malformed.js';
import { parseRequestHead, parseRequestLine, type RequestHead } from './request-head.js';

const LF = 0x0a;
const CR = 0x0d;
/** So many octets of empty lines may stand before a request (RFC 9112 §2.2). */
const MAX_BLANK_BYTES = 16;
const NO_TRAILERS: readonly string[] = [];

/** Told of a request. */
export interface RequestListener {
  onRequestHead(head: RequestHead): void;
  /** @param piece a part of what was read. */
  onBodyPiece(piece: Buffer): void;
  /** The last of them. @param trailers flat. */
  onRequestEnd(trailers: readonly string[]): void;
}

type State =
  | 'head'
  | 'length'
  | 'chunks'
  /** The request is read. */
  | 'done'
  /** What comes is dropped. */
  | 'stopped';

export class RequestParser {
  readonly #listener: RequestListener;
  readonly #headReader: HeadReader;
  #state: State = 'head';
  /** Of empty lines before the head. */
  #blankBytes = 0;
  #hasReadLine = false;
  /** What is missing of a body that has a length. */
  #left = 0;
  #chunks: ChunkedParser | undefined;

  /** @param maxHeadBytes without its empty line. */
  constructor(listener: RequestListener, maxHeadBytes: number) {
    this.#listener = listener;
    this.#headReader = new HeadReader(maxHeadBytes);
  }

  /** A part of a request has come, and not all of it. Empty lines are none: some clients send one behind a body. */
  get isWithin(): boolean {
    if (this.#state === 'head') return this.#headReader.hasBegun;
    return this.#state === 'length' || this.#state === 'chunks';
  }

  /** All of the request has been read. */
  get isDone(): boolean {
    return this.#state === 'done';
  }

  /** Expects the next request. */
  next(): void {
    this.#state = 'head';
    this.#blankBytes = 0;
    this.#hasReadLine = false;
  }

  /** Drops whatever comes from now on. */
  stop(): void {
    this.#state = 'stopped';
    this.#headReader.reset();
    this.#chunks = undefined;
  }

  /**
   * Reads on.
   *
   * @returns where the reading has ended: before the end of `bytes` only behind the end of a request.
   * @throws MalformedMessage
   */
  read(bytes: Buffer, start: number): number {
    let at = start;
    while (at < bytes.length && this.#state !== 'done' && this.#state !== 'stopped') {
      at = this.#state === 'head' ? this.#readHead(bytes, at) : this.#readBody(bytes, at);
    }
    // Whoever reads to the end of `bytes` must come there.
    return this.#state === 'stopped' ? bytes.length : at;
  }

  #readHead(bytes: Buffer, start: number): number {
    let at = start;
    if (!this.#headReader.hasBegun) {
      at = this.#skipBlankLines(bytes, start);
      if (at === bytes.length) return at;
      // A client of another protocol may wait for an answer without ever sending a line.
      if (this.#blankBytes % 2 === 1) throw new MalformedMessage('an empty line does not end with CRLF');
    }
    const end = this.#headReader.read(bytes, at);
    if (end === -1) {
      this.#checkLine();
      return bytes.length;
    }
    this.#onHead(parseRequestHead(this.#headReader.text));
    return end;
  }

  #skipBlankLines(bytes: Buffer, start: number): number {
    let at = start;
    while (at < bytes.length && bytes[at] === (this.#blankBytes % 2 === 0 ? CR : LF)) {
      at += 1;
      this.#blankBytes += 1;
      if (this.#blankBytes > MAX_BLANK_BYTES) throw new MalformedMessage('too many empty lines');
    }
    return at;
  }

  /** Refuses a head by its first line: a client of another protocol would wait for its answer. */
  #checkLine(): void {
    if (this.#hasReadLine) return;
    const text = this.#headReader.beginning;
    const end = text.indexOf('\r\n');
    if (end === -1) return;
    this.#hasReadLine = true;
    parseRequestLine(text.slice(0, end));
  }

  #onHead(head: RequestHead): void {
    const { contentLength, isChunked } = head;
    this.#left = contentLength ?? 0;
    if (isChunked) {
      this.#state = 'chunks';
      this.#chunks = new ChunkedParser();
    } else {
      this.#state = this.#left > 0 ? 'length' : 'done';
    }
    const hasBody = this.#state !== 'done';
    this.#listener.onRequestHead(head);
    if (!hasBody && this.#state === 'done') this.#listener.onRequestEnd(NO_TRAILERS);
  }

  #readBody(bytes: Buffer, start: number): number {
    const chunks = this.#chunks;
    if (chunks !== undefined) {
      const end = chunks.read(bytes, start, this.#onChunk);
      if (chunks.isDone && this.#state === 'chunks') this.#finish(chunks.trailers);
      return end;
    }
    const end = Math.min(bytes.length, start + this.#left);
    this.#left -= end - start;
    this.#listener.onBodyPiece(bytes.subarray(start, end));
    if (this.#left === 0 && this.#state === 'length') this.#finish(NO_TRAILERS);
    return end;
  }

  readonly #onChunk = (piece: Buffer): void => {
    if (this.#state === 'chunks') this.#listener.onBodyPiece(piece);
  };

  #finish(trailers: readonly string[]): void {
    this.#state = 'done';
    this.#chunks = undefined;
    this.#listener.onRequestEnd(trailers);
  }
}
