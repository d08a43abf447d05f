/**
 * One stream of a client: what it may still send and be sent, and its request's body.
 *
 * Sending: what the windows and the connection let through is framed at once; the rest waits here, and goes out in turns with the other
 * streams. Receiving: the client's window is opened again as far as somebody has taken what came.
 */
import { ErrorCode, Flag, FrameType } from '../../http2/frames.js';
import { resetFrame, windowUpdateFrame } from '../../http2/frame-writer.js';
import { UNSAID_PRIORITY } from '../../http2/priority.js';
import { RequestBody, type BodySource } from '../request-body.js';
import { JoinedPieces } from './joined-pieces.js';
import type { Output } from './output.js';
import { WaitingBytes } from './waiting-bytes.js';

/** With so much waiting its backend is paused. */
const MAX_WAITING_BYTES = 65_536;

/** Who writes the response. */
export interface StreamWriter {
  readonly headersSent: boolean;
  /** The client takes more again. */
  drained(): void;
  /** All of it is handed to the connection. */
  sent(): void;
  /** The stream is over. */
  close(): void;
}

/** The connection, as its streams see it. */
export interface StreamOwner {
  readonly output: Output;
  /** What a stream may send before it is told of more, in bytes. */
  readonly receiveWindow: number;
  /** What the connection's window lets through, in bytes. */
  readonly sendWindow: number;
  /** Of bodies of all its streams, in bytes. */
  readonly sentBytes: number;
  /** So much of a body is sent. */
  spend(bytes: number): void;
  /** Writes a block of fields. */
  sendFields(
    streamId: number,
    fields: readonly string[],
    isLast: boolean,
    neverIndexedNames?: readonly string[],
  ): void;
  /** It has something that could not be sent. */
  onWaiting(stream: Http2Stream): void;
  /** The response has a `Priority` of its own. */
  onPriorityAnswered(stream: Http2Stream, value: string): void;
  /** Of what it has received so much less, or more, is held until it is taken. */
  onHeld(bytes: number): void;
  /** A client that waits for `100 Continue` may send. */
  onBodyWanted(stream: Http2Stream): void;
  /** Ends it, though the client may still send on it. */
  stop(stream: Http2Stream, code: number): void;
  /** It is over for both sides. */
  onClosed(stream: Http2Stream): void;
}

export interface StreamFacts {
  readonly hasBody: boolean;
  /** Of the body, as `content-length` says. */
  readonly length: number | undefined;
  readonly awaitsContinue: boolean;
  /** It may become a tunnel (RFC 8441). */
  readonly isForTunnel: boolean;
}

export class Http2Stream implements BodySource {
  readonly id: number;
  readonly owner: StreamOwner;
  /** Null: the request has none. */
  readonly body: RequestBody | null;
  /** What the client's window lets through, in bytes; below 0 after a SETTINGS that has made it smaller (RFC 9113 §6.9.2). */
  sendWindow: number;
  writer: StreamWriter | undefined;
  /** For `SendTurns`, which it is to be changed by while the stream waits. */
  priority = UNSAID_PRIORITY;
  /** The client sends the body when it is told to. */
  readonly awaitsContinue: boolean;
  /** It may become a tunnel, whose messages are small. */
  readonly isForTunnel: boolean;
  /** By `content-length`. */
  readonly #length: number | undefined;
  #receivedBytes = 0;
  #bodyBytes = 0;
  #creditedBytes = 0;
  #heldBytes = 0;
  /** Null, as the body. */
  readonly #pieces: JoinedPieces | null;
  #hasRemoteEnded: boolean;
  #hasLocalEnded = false;
  #isTunnel = false;
  #isClosed = false;
  readonly #waiting = new WaitingBytes();
  /** Set once the response has ended: it follows what waits. */
  #trailers: readonly string[] | undefined;
  #isBlocked = false;
  /** What waited at the last look, and how many looks have seen the same. */
  #lookedBytes = 0;
  #lookedSentBytes = 0;
  #stillLooks = 0;

  /** @param sendWindow what the client lets every stream send at first, in bytes. */
  constructor(id: number, owner: StreamOwner, sendWindow: number, facts: StreamFacts) {
    const { hasBody, length, awaitsContinue, isForTunnel } = facts;
    this.id = id;
    this.owner = owner;
    this.sendWindow = sendWindow;
    this.#length = length;
    this.awaitsContinue = awaitsContinue;
    this.isForTunnel = isForTunnel;
    this.#hasRemoteEnded = !hasBody;
    this.body = hasBody ? new RequestBody(this) : null;
    this.#pieces = this.body && new JoinedPieces(this.body, () => this.#credit());
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** The client has ended its side. */
  get hasRemoteEnded(): boolean {
    return this.#hasRemoteEnded;
  }

  get waitingBytes(): number {
    return this.#waiting.length;
  }

  /** All of the response is handed to the connection. */
  get isSent(): boolean {
    return this.#hasLocalEnded;
  }

  // --- what comes

  /** DATA begins. @returns an `ErrorCode` where it may not come. */
  onData(flowBytes: number): number | undefined {
    if (this.#hasRemoteEnded) return ErrorCode.streamClosed;
    this.#receivedBytes += flowBytes;
    return this.#receivedBytes - this.#creditedBytes > this.owner.receiveWindow
      ? ErrorCode.flowControlError
      : undefined;
  }

  /** @param piece overwritten afterwards. @returns an `ErrorCode` where it is more than the request has said. */
  onDataPiece(piece: Buffer): number | undefined {
    this.#bodyBytes += piece.length;
    if (this.#length !== undefined && this.#bodyBytes > this.#length) return ErrorCode.protocolError;
    this.#pieces?.add(piece);
    return undefined;
  }

  /** A DATA frame is over. */
  onDataEnd(): void {
    this.#credit();
  }

  /** The client has ended its side. @returns an `ErrorCode` where the body is shorter than the request has said. */
  onEnd(trailers: readonly string[]): number | undefined {
    if (this.#length !== undefined && this.#bodyBytes !== this.#length) return ErrorCode.protocolError;
    this.#pieces?.flush();
    this.#hasRemoteEnded = true;
    this.body?.finish(trailers);
    this.#closeIfDone();
    return undefined;
  }

  // --- from the body

  setReading(): void {
    // What is not taken holds the window shut: nothing else need be done.
  }

  onBodyWanted(): void {
    this.owner.onBodyWanted(this);
  }

  onWaitingTaken(): void {
    this.#credit();
  }

  onPieceFree(piece: Buffer): void {
    this.#pieces?.free(piece);
  }

  // --- what goes

  /** A head. @param isLast nothing follows. */
  head(fields: readonly string[], isLast: boolean, neverIndexedNames?: readonly string[]): void {
    if (this.#isClosed) return;
    this.owner.sendFields(this.id, fields, isLast, neverIndexedNames);
    if (isLast) this.#endLocal();
  }

  /** Says that the tunnel is open: from then on each direction ends by itself. */
  openTunnel(fields: readonly string[]): void {
    this.#isTunnel = true;
    this.head(fields, false);
  }

  /** @param isShared it is overwritten afterwards. @returns false: `onDrain` of the writer follows. */
  write(chunk: Buffer, isShared: boolean): boolean {
    if (this.#isClosed) return true;
    const sent = this.#waiting.length > 0 ? 0 : this.#sendFrom(chunk);
    if (sent < chunk.length) {
      this.#waiting.add(chunk.subarray(sent), isShared);
      this.owner.onWaiting(this);
    }
    // Who has been told to wait and yet writes, of what it had read before, waits on until `drained`.
    if (this.#waiting.length >= MAX_WAITING_BYTES) this.#isBlocked = true;
    return !this.#isBlocked;
  }

  /** The response ends with what waits. */
  end(trailers: readonly string[]): void {
    if (this.#isClosed || this.#trailers !== undefined) return;
    this.#trailers = trailers;
    if (this.#waiting.length === 0) this.#sendEnd();
  }

  /** Sends a frame of what waits, where its window lets it. @returns how much that was. */
  sendSome(): number {
    const bytes = this.#isClosed ? 0 : this.#allowance(this.#waiting.length);
    if (bytes === 0) return 0;
    const { memory, at } = this.owner.output.frame(FrameType.data, 0, this.id, bytes);
    this.#waiting.moveTo(memory, at, bytes);
    this.#spend(bytes);
    if (this.#waiting.length === 0 && this.#trailers !== undefined) this.#sendEnd();
    // Behind the end of a response nobody waits to go on.
    if (this.#trailers === undefined && this.#isBlocked && this.#waiting.length < MAX_WAITING_BYTES / 2) {
      this.#isBlocked = false;
      this.writer?.drained();
    }
    return bytes;
  }

  /**
   * Whether its response has ended, and the client has let nothing of the rest come since the last so many looks: not where it waits for its
   * turn only.
   */
  look(looks: number): boolean {
    const { sendWindow, sentBytes } = this.owner;
    const isConnectionShut = sendWindow <= 0 && sentBytes === this.#lookedSentBytes;
    const isHeldUp = this.#trailers !== undefined && (this.sendWindow <= 0 || isConnectionShut);
    const hasTaken = !isHeldUp || this.#waiting.length !== this.#lookedBytes;
    this.#lookedBytes = this.#waiting.length;
    this.#lookedSentBytes = sentBytes;
    this.#stillLooks = hasTaken ? 0 : this.#stillLooks + 1;
    return this.#stillLooks >= looks;
  }

  /** Ends it at once. @param code an `ErrorCode`; undefined: the client has ended it, or its connection has gone. */
  reset(code: number | undefined, reason = 'the client has gone'): void {
    if (this.#isClosed) return;
    if (code !== undefined) this.owner.output.push(resetFrame(this.id, code));
    this.#close();
    this.body?.fail(reason);
  }

  // ---

  /** Sends as much of a chunk as may go. @returns how much that was. */
  #sendFrom(chunk: Buffer): number {
    let sent = 0;
    while (sent < chunk.length) {
      const bytes = this.#allowance(chunk.length - sent);
      if (bytes === 0) break;
      const { memory, at } = this.owner.output.frame(FrameType.data, 0, this.id, bytes);
      chunk.copy(memory, at, sent, sent + bytes);
      this.#spend(bytes);
      sent += bytes;
    }
    return sent;
  }

  /** What the next frame may hold, of so much. */
  #allowance(bytes: number): number {
    const { output, sendWindow } = this.owner;
    if (output.isFull) return 0;
    return Math.max(0, Math.min(bytes, output.dataBytes, this.sendWindow, sendWindow));
  }

  #spend(bytes: number): void {
    this.sendWindow -= bytes;
    this.owner.spend(bytes);
  }

  #sendEnd(): void {
    const { output } = this.owner;
    const trailers = this.#trailers ?? [];
    if (trailers.length > 0) this.owner.sendFields(this.id, trailers, true);
    else if (!output.endStream(this.id)) output.frame(FrameType.data, Flag.endStream, this.id, 0);
    this.#endLocal();
  }

  #endLocal(): void {
    this.#hasLocalEnded = true;
    this.writer?.sent();
    if (!this.#isTunnel) this.body?.discard();
    if (this.#hasRemoteEnded) this.#close();
    else if (this.#isTunnel) return;
    // Node's clients take a reset that they read together with the end of the response for a cut.
    else setImmediate(stopUpload, this);
  }

  /** A client that still sends its request is told to stop (RFC 9113 §8.1), once the response has gone out. */
  stopUpload(): void {
    if (!this.#isClosed && !this.#hasRemoteEnded) this.owner.stop(this, ErrorCode.noError);
  }

  #closeIfDone(): void {
    if (this.#hasRemoteEnded && this.#hasLocalEnded) this.#close();
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#waiting.clear();
    this.#pieces?.drop();
    this.#hold(0);
    this.owner.onClosed(this);
    // Not at once: whoever ends a response does not expect to hear of that before it has.
    if (this.writer !== undefined) process.nextTick(closeWriter, this.writer);
  }

  /** Opens the windows as far as what came is taken. */
  #credit(): void {
    const heldBytes = this.#isClosed ? 0 : (this.body?.waitingBytes ?? 0);
    this.#hold(heldBytes);
    const bytes = this.#receivedBytes - heldBytes - this.#creditedBytes;
    // A quarter of the window at the least.
    if (bytes < this.owner.receiveWindow / 4 || this.#hasRemoteEnded || this.#isClosed) return;
    this.#creditedBytes += bytes;
    this.owner.output.push(windowUpdateFrame(this.id, bytes));
  }

  #hold(bytes: number): void {
    this.owner.onHeld(bytes - this.#heldBytes);
    this.#heldBytes = bytes;
  }
}

function stopUpload(stream: Http2Stream): void {
  stream.stopUpload();
}

function closeWriter(writer: StreamWriter): void {
  writer.close();
}
