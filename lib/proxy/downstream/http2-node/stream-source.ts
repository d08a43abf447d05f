/**
 * The body that comes on a stream of HTTP/2.
 *
 * Node would allocate memory for each DATA frame, and put it through a stream: together with the collections of the whole heap that
 * this causes, half of what an upload costs. So the frames are read into memory that all streams share (`net/socket-reads.ts`), and
 * what has come in one turn of the event loop is passed on together: a client may send a byte a frame.
 */
import type { ServerHttp2Stream } from 'node:http2';
import { SpareMemory } from '../../../net/spare-memory.js';
import type { SocketReader } from '../../../net/socket-reader.js';
import { takeStreamReads, type StreamReads } from '../../../net/socket-reads.js';
import { RequestBody, type BodySource } from '../request-body.js';
import { NextTurn } from '../next-turn.js';

/** A frame is no larger than the 16 KiB that we allow. */
const FRAME_BYTES = 16_384;
/** So much is passed on together. */
const JOINED_BYTES = 4 * FRAME_BYTES;
/** Where all streams' frames are read into. */
const SHARED = Buffer.allocUnsafeSlow(FRAME_BYTES);

/** Is told what comes on a stream. */
export interface SourceObserver {
  /** At first nobody takes what comes. */
  onSourceOpen(source: StreamSource): void;
  /** Its stream is closed. The last that is told of it. */
  onSourceClose(source: StreamSource): void;
  /** A piece has come: all of a DATA frame, or a part of it. */
  onPiece(source: StreamSource, bytes: number): void;
  /** So much is passed on, or waits for who takes it. */
  onJoined(source: StreamSource, bytes: number): void;
  /** Somebody takes what comes, or nobody does any more. */
  onReading(source: StreamSource, isRead: boolean): void;
  /** Some of what has come and waited is taken. */
  onWaitingTaken(): void;
}

export interface SourceOptions {
  readonly observer: SourceObserver;
  /** The field `Expect`. */
  readonly expectation: string | undefined;
  /** It is what goes through an extended CONNECT. */
  readonly isOfTunnel: boolean;
}

const turn = new NextTurn<StreamSource>((source) => source.onTurn());
/** Memory for what comes together in a turn, while no stream has it. */
const spare = new SpareMemory(JOINED_BYTES, 16 * JOINED_BYTES);

export class StreamSource implements BodySource, SocketReader {
  readonly body: RequestBody;
  readonly isOfTunnel: boolean;
  readonly #stream: ServerHttp2Stream;
  readonly #observer: SourceObserver;
  readonly #reads: StreamReads;
  #awaitsContinue: boolean;
  #trailers: readonly string[] = [];
  /** What has come in this turn; there only while something waits in it. */
  #joined: Buffer | undefined;
  #joinedBytes = 0;
  #isPutOff = false;

  constructor(stream: ServerHttp2Stream, { observer, expectation, isOfTunnel }: SourceOptions) {
    const body = new RequestBody(this);
    this.body = body;
    this.#stream = stream;
    this.#observer = observer;
    this.isOfTunnel = isOfTunnel;
    this.#awaitsContinue = expectation?.toLowerCase() === '100-continue';
    observer.onSourceOpen(this);
    this.#reads = takeStreamReads(stream, this);
    stream.on('trailers', (...[, , raw]: unknown[]) => (this.#trailers = raw as string[]));
    stream.on('end', () => {
      this.#flush();
      // A stream that was reset ends as well.
      if (stream.aborted || stream.rstCode) body.fail('the client has reset the stream');
      else body.finish(this.#trailers);
    });
    stream.on('close', () => {
      body.fail('the client has gone');
      observer.onSourceClose(this);
    });
  }

  /** What has come, and is not taken yet. */
  get heldBytes(): number {
    return this.body.waitingBytes + this.#joinedBytes;
  }

  buffer(): Buffer {
    return SHARED;
  }

  onRead(bytes: Buffer): void {
    this.#observer.onPiece(this, bytes.length);
    for (let at = 0; at < bytes.length; at += FRAME_BYTES) this.#join(bytes.subarray(at, at + FRAME_BYTES));
  }

  onTurn(): void {
    this.#isPutOff = false;
    this.#flush();
  }

  setReading(isWanted: boolean): void {
    if (isWanted) this.#reads.start();
    else this.#reads.stop();
    this.#observer.onReading(this, isWanted);
  }

  onWaitingTaken(): void {
    this.#observer.onWaitingTaken();
  }

  onBodyWanted(): void {
    const stream = this.#stream;
    if (!this.#awaitsContinue || stream.headersSent || stream.destroyed) return;
    this.#awaitsContinue = false;
    stream.additionalHeaders({ ':status': 100 });
  }

  #join(part: Buffer): void {
    this.#joined ??= spare.take();
    this.#joinedBytes += part.copy(this.#joined, this.#joinedBytes);
    // The next one must have room.
    if (this.#joinedBytes > JOINED_BYTES - FRAME_BYTES) {
      this.#flush();
    } else if (!this.#isPutOff) {
      this.#isPutOff = true;
      turn.add(this);
    }
  }

  #flush(): void {
    const joined = this.#joined;
    const bytes = this.#joinedBytes;
    if (joined === undefined) return;
    this.#joined = undefined;
    this.#joinedBytes = 0;
    const isLarge = bytes >= (this.body.isTaken ? FRAME_BYTES : JOINED_BYTES / 2);
    const piece = joined.subarray(0, bytes);
    // What waits must not keep much more memory than it has bytes.
    const isKept = this.body.push(isLarge ? piece : Buffer.from(piece));
    if (!isLarge || !isKept) spare.giveBack(joined);
    this.#observer.onJoined(this, bytes);
  }
}
