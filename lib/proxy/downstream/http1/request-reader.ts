/**
 * What is read on a client's HTTP/1.1 connection, and when.
 *
 * Reading follows whoever takes what is read: a head is always wanted, a body only while somebody takes it. What a client sends
 * behind a request waits for its turn: some is read, or nobody would see that the client has gone; the rest stays with the kernel.
 */
import type { ClientSocket } from '../../../net/client-socket.js';
import type { SocketReader } from '../../../net/socket-reader.js';
import { bufferedOf, takeReads } from '../../../net/socket-reads.js';
import { MalformedMessage } from '../../http1/malformed.js';
import { RequestBody, type BodySource } from '../request-body.js';
import { Inflow, type InflowListener } from './inflow.js';
import type { RequestHead } from './request-head.js';
import { RequestParser, type RequestListener } from './request-parser.js';

/** With so many bytes waiting nothing more is read. One read can exceed it by 64 KiB. */
const MAX_HELD_BYTES = 131_072;

export interface RequestReaderListener {
  /** Some of the next head has come, and not all of it. */
  onHeadBegun(): void;
  /** A request has come. The next one is not read before `next`. */
  onRequest(head: RequestHead, body: RequestBody | undefined): void;
  /** The body of the request is wanted, for the first time. */
  onBodyWanted(): void;
  /** What has come is no request, or no body of one. What follows is dropped. */
  onMalformed(malformed: MalformedMessage): void;
}

type State =
  /** No request, or a part of its head. */
  | 'head'
  /** A request that is not answered yet. Its body may still come, or it is all there. */
  | 'request'
  /** What comes is dropped. */
  | 'stopped';

export class RequestReader implements SocketReader, InflowListener, RequestListener, BodySource {
  readonly #listener: RequestReaderListener;
  readonly #socket: ClientSocket;
  readonly #inflow: Inflow;
  readonly #parser: RequestParser;
  #state: State = 'head';
  #body: RequestBody | undefined;
  #isBodyWanted = false;
  /** The bytes that are being read are overwritten afterwards. */
  #isShared = true;
  /** Some of the bytes that were read are still needed. */
  #keepsBytes = false;
  /** Read behind the request that is answered. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  #isReading = true;

  constructor(listener: RequestReaderListener, socket: ClientSocket, maxHeadBytes: number) {
    this.#listener = listener;
    this.#socket = socket;
    this.#inflow = new Inflow(this);
    this.#parser = new RequestParser(this, maxHeadBytes);
  }

  /** Begins to read. */
  begin(): void {
    const socket = this.#socket;
    // What came behind a PROXY header was put back.
    for (let early = bufferedOf(socket); early !== null; early = bufferedOf(socket))
      this.onBytes(early, false);
    if (!takeReads(socket, this)) socket.on('data', this.#onData);
    // Only now, lest a piece comes as an event.
    if (this.#isReading) socket.resume();
  }

  /** A part of a request has come, and not all of it. */
  get isWithin(): boolean {
    return this.#parser.isWithin;
  }

  /** All of the request has been read. */
  get isDone(): boolean {
    return this.#parser.isDone;
  }

  /** While nothing is read nobody is told that the client has gone. */
  get isReading(): boolean {
    return this.#isReading;
  }

  /** The request is answered: reads the next one. */
  next(): void {
    this.#state = 'head';
    this.#body = undefined;
    this.#parser.next();
    while (this.#held.length > 0 && !this.#parser.isDone) {
      const bytes = this.#held.shift();
      if (bytes === undefined) break;
      this.#heldBytes -= bytes.length;
      this.#feed(bytes, false);
    }
    this.#adjustReading();
  }

  /** What is left of the request's body is dropped. */
  discardBody(): void {
    this.#body?.discard();
  }

  /** Passes on what waits for more. */
  flush(): void {
    this.#inflow.flush();
  }

  /** Drops what has come and what still comes. */
  stop(): void {
    this.#state = 'stopped';
    this.#parser.stop();
    this.#held = [];
    this.#heldBytes = 0;
    this.#adjustReading();
  }

  /** Leaves the socket to somebody else. @returns what was read behind the request. */
  handOver(): readonly Buffer[] {
    const early = this.#held;
    this.#held = [];
    this.#state = 'stopped';
    this.#parser.stop();
    this.#socket.off('data', this.#onData);
    return early;
  }

  /** The connection is closed. */
  close(): void {
    const body = this.#body;
    this.#state = 'stopped';
    this.#body = undefined;
    this.#held = [];
    body?.fail('the client has gone');
  }

  // --- from the socket

  buffer(): Buffer {
    return this.#inflow.buffer();
  }

  onRead(bytes: Buffer): void {
    this.#inflow.onRead(bytes);
  }

  get mayWait(): boolean {
    return this.#state === 'request' && !this.#parser.isDone;
  }

  onBytes(bytes: Buffer, isShared: boolean): boolean {
    if (this.#state === 'stopped') return false;
    this.#keepsBytes = false;
    if (this.#held.length > 0 || this.#parser.isDone) this.#hold(isShared ? Buffer.from(bytes) : bytes);
    else this.#feed(bytes, isShared);
    return this.#keepsBytes;
  }

  // --- from the parser

  onRequestHead(head: RequestHead): void {
    this.#state = 'request';
    this.#isBodyWanted = false;
    this.#body = head.hasBody ? new RequestBody(this) : undefined;
    this.#listener.onRequest(head, this.#body);
    this.#adjustReading();
  }

  onBodyPiece(piece: Buffer): void {
    if (this.#body?.push(this.#isShared ? Buffer.from(piece) : piece) === true) this.#keepsBytes = true;
  }

  onRequestEnd(trailers: readonly string[]): void {
    this.#body?.finish(trailers);
  }

  // --- from the request's body

  setReading(isWanted: boolean): void {
    this.#isBodyWanted = isWanted;
    this.#adjustReading();
  }

  onBodyWanted(): void {
    this.#listener.onBodyWanted();
  }

  // ---

  #feed(bytes: Buffer, isShared: boolean): void {
    this.#isShared = isShared;
    let at = 0;
    const wasWithin = this.#parser.isWithin;
    try {
      while (at < bytes.length && !this.#parser.isDone) at = this.#parser.read(bytes, at);
    } catch (thrown) {
      this.#onMalformed(thrown);
      return;
    }
    if (at < bytes.length) {
      const rest = bytes.subarray(at);
      this.#held.unshift(isShared ? Buffer.from(rest) : rest);
      this.#keepsBytes = true;
      this.#heldBytes += rest.length;
      this.#adjustReading();
    } else if (this.#state === 'head' && this.#parser.isWithin !== wasWithin) {
      this.#listener.onHeadBegun();
    }
  }

  #hold(bytes: Buffer): void {
    this.#held.push(bytes);
    this.#keepsBytes = true;
    this.#heldBytes += bytes.length;
    this.#adjustReading();
  }

  #onMalformed(thrown: unknown): void {
    // Anything else is a mistake of ours.
    if (!(thrown instanceof MalformedMessage)) throw thrown;
    this.#parser.stop();
    // Whoever passes it on hears of it when the answer is out.
    this.#body?.discard();
    this.#listener.onMalformed(thrown);
  }

  /** Reads as the state has it. */
  #adjustReading(): void {
    const isWanted =
      this.#state !== 'request' ||
      (this.#parser.isDone ? this.#heldBytes < MAX_HELD_BYTES : this.#isBodyWanted);
    if (isWanted === this.#isReading) return;
    this.#isReading = isWanted;
    if (isWanted) this.#socket.resume();
    else this.#socket.pause();
  }

  readonly #onData = (bytes: Buffer): void => {
    this.onBytes(bytes, false);
  };
}
