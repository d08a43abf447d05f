/**
 * Reads the frames that a client sends, fed in pieces of any size. PURE.
 *
 * What a frame says is told once it is whole, but for DATA, of which the pieces are told as they come: nothing of a body is copied or
 * kept here. HEADERS and its CONTINUATIONs are one block. What a frame alone cannot say (whether its stream is open) is for the listener.
 */
import {
  CLIENT_PREFACE,
  ErrorCode,
  Flag,
  FRAME_HEAD_BYTES,
  FrameType,
  Http2ConnectionError,
  MAX_PAYLOAD_BYTES,
  protocolError,
} from './frames.js';
import { MAX_PRIORITY_CHARACTERS } from './priority.js';

export interface FrameListener {
  /**
   * A frame begins, of whatever type. To be paid for before it is read.
   *
   * @param payloadBytes its length, padding included.
   */
  onFrame(type: number, payloadBytes: number): void;
  /** DATA begins. @param flowBytes what it takes of the windows: with its padding. */
  onData(streamId: number, flowBytes: number): void;
  /** A piece of that DATA: a view of what was read. */
  onDataPiece(piece: Buffer): void;
  /** The end of it. @param isLast the client has ended the stream. */
  onDataEnd(isLast: boolean): void;
  /**
   * The head of a request, or its trailers: a whole block of HPACK. It must be decoded in any case.
   *
   * @param block a view of what was read, where it came at once.
   * @param dependsOn the stream in its priority fields; undefined: it has none.
   */
  onHeaders(streamId: number, block: Buffer, isLast: boolean, dependsOn: number | undefined): void;
  onPriority(streamId: number, dependsOn: number): void;
  onReset(streamId: number, code: number): void;
  /** @param settings a view: six octets each, an id and a value. */
  onSettings(settings: Buffer): void;
  onSettingsAck(): void;
  /** @param opaque a view of eight octets. */
  onPing(opaque: Buffer): void;
  onPingAck(opaque: Buffer): void;
  onGoaway(lastStreamId: number, code: number): void;
  /** @param streamId 0: of the connection. @param increment 0 is an error (§6.9), of the stream or of the connection. */
  onWindowUpdate(streamId: number, increment: number): void;
  /** @param value of RFC 9218 §4, as it came. */
  onPriorityUpdate(streamId: number, value: string): void;
  /** Of the one stream: its length is wrong, which the frames around it do not suffer from. */
  onStreamError(streamId: number, code: number): void;
}

export interface FrameReaderOptions {
  /** The most octets of a block of HPACK, as it comes. Over it the connection ends. */
  readonly maxBlockBytes: number;
  /** The most CONTINUATIONs of a block: empty ones cost nobody but us. */
  readonly maxContinuations: number;
}

const NO_BYTES = Buffer.alloc(0);
/** A priority in HEADERS: a stream and a weight. */
const PRIORITY_BYTES = 5;

type Phase = 'preface' | 'head' | 'payload' | 'padLength' | 'data' | 'padding';

export class FrameReader {
  readonly #listener: FrameListener;
  readonly #options: FrameReaderOptions;
  #phase: Phase = 'preface';
  /** Of the preface, or of a frame's head. */
  #headBytes = 0;
  readonly #head = Buffer.alloc(FRAME_HEAD_BYTES);
  #type = 0;
  #flags = 0;
  #streamId = 0;
  /** What is still to come of the payload. */
  #left = 0;
  #padding = 0;
  /** The payload, where it comes in pieces. */
  #payload: Buffer | undefined;
  #payloadBytes = 0;
  /** A block whose CONTINUATION is awaited: nothing else may come. */
  #block: Buffer[] | undefined;
  #blockBytes = 0;
  #blockStreamId = 0;
  #isBlockLast = false;
  #blockDependsOn: number | undefined;
  #isFirst = true;
  #isStopped = false;

  constructor(listener: FrameListener, options: FrameReaderOptions) {
    this.#listener = listener;
    this.#options = options;
  }

  /** Nothing is told any more. */
  stop(): void {
    this.#isStopped = true;
  }

  /** @throws Http2ConnectionError: what comes is not HTTP/2; nothing may be read after it. */
  read(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length && !this.#isStopped) {
      switch (this.#phase) {
        case 'preface':
          at = this.#readPreface(bytes, at);
          break;
        case 'head':
          at = this.#readHead(bytes, at);
          break;
        case 'payload':
          at = this.#readPayload(bytes, at);
          break;
        case 'padLength':
          at = this.#readPadLength(bytes, at);
          break;
        case 'data':
          at = this.#readData(bytes, at);
          break;
        case 'padding':
          at = this.#readPadding(bytes, at);
          break;
      }
    }
  }

  #readPreface(bytes: Buffer, from: number): number {
    const end = Math.min(bytes.length, from + CLIENT_PREFACE.length - this.#headBytes);
    const length = end - from;
    if (bytes.compare(CLIENT_PREFACE, this.#headBytes, this.#headBytes + length, from, end) !== 0)
      throw protocolError('the connection does not begin with the preface of HTTP/2');
    this.#headBytes += length;
    if (this.#headBytes === CLIENT_PREFACE.length) {
      this.#headBytes = 0;
      this.#phase = 'head';
    }
    return end;
  }

  #readHead(bytes: Buffer, from: number): number {
    if (this.#headBytes === 0 && bytes.length - from >= FRAME_HEAD_BYTES) {
      this.#begin(bytes, from);
      return from + FRAME_HEAD_BYTES;
    }
    const end = Math.min(bytes.length, from + FRAME_HEAD_BYTES - this.#headBytes);
    bytes.copy(this.#head, this.#headBytes, from, end);
    this.#headBytes += end - from;
    if (this.#headBytes === FRAME_HEAD_BYTES) {
      this.#headBytes = 0;
      this.#begin(this.#head, 0);
    }
    return end;
  }

  /** A frame begins. @param at where its head is. */
  #begin(head: Buffer, at: number): void {
    const length = (head.readUInt16BE(at) << 8) | (head[at + 2] ?? 0);
    const type = head[at + 3] ?? 0;
    this.#type = type;
    this.#flags = head[at + 4] ?? 0;
    // The highest bit is reserved, and ignored.
    this.#streamId = head.readUInt32BE(at + 5) & 0x7fff_ffff;
    this.#left = length;
    this.#check(type, length);
    this.#listener.onFrame(type, length);
    if (type === FrameType.data) this.#beginData(length);
    else {
      this.#phase = 'payload';
      if (length === 0) this.#onPayload(NO_BYTES, 0, 0);
    }
  }

  /** What the head of a frame alone says. */
  #check(type: number, length: number): void {
    const streamId = this.#streamId;
    if (length > MAX_PAYLOAD_BYTES) throw frameSizeError('a frame is longer than it may be');
    if (this.#block !== undefined) {
      if (type !== FrameType.continuation || streamId !== this.#blockStreamId)
        throw protocolError('something else than CONTINUATION comes within a block of fields');
    } else if (type === FrameType.continuation) throw protocolError('CONTINUATION without HEADERS');
    if (this.#isFirst && (type !== FrameType.settings || (this.#flags & Flag.ack) !== 0))
      throw protocolError('the preface has no SETTINGS');
    this.#isFirst = false;
    switch (type) {
      case FrameType.data:
      case FrameType.headers:
      case FrameType.priority:
      case FrameType.rstStream:
        if (streamId === 0) throw protocolError('a frame of a stream has none');
        break;
      case FrameType.settings:
      case FrameType.ping:
      case FrameType.goaway:
      case FrameType.priorityUpdate:
        if (streamId !== 0) throw protocolError('a frame of the connection has a stream');
        break;
      case FrameType.pushPromise:
        throw protocolError('a client has no PUSH_PROMISE');
    }
    this.#checkLength(type, length);
  }

  #checkLength(type: number, length: number): void {
    const isWrong =
      (type === FrameType.rstStream && length !== 4) ||
      (type === FrameType.windowUpdate && length !== 4) ||
      (type === FrameType.ping && length !== 8) ||
      (type === FrameType.goaway && length < 8) ||
      (type === FrameType.priorityUpdate && length < 4) ||
      (type === FrameType.settings && ((this.#flags & Flag.ack) === 0 ? length % 6 !== 0 : length !== 0));
    if (isWrong) throw frameSizeError('a frame has not the length of its type');
  }

  // --- DATA

  #beginData(length: number): void {
    this.#padding = 0;
    const isPadded = (this.#flags & Flag.padded) !== 0;
    if (isPadded && length === 0) throw frameSizeError('padded DATA without a length of padding');
    this.#listener.onData(this.#streamId, length);
    this.#phase = isPadded ? 'padLength' : 'data';
    if (length === 0) this.#endData();
  }

  #readPadLength(bytes: Buffer, from: number): number {
    this.#padding = bytes[from] ?? 0;
    this.#left -= 1;
    if (this.#padding > this.#left) throw protocolError('a frame has more padding than there is of it');
    this.#left -= this.#padding;
    this.#phase = 'data';
    if (this.#left === 0) this.#afterData();
    return from + 1;
  }

  #readData(bytes: Buffer, from: number): number {
    const end = Math.min(bytes.length, from + this.#left);
    this.#left -= end - from;
    this.#listener.onDataPiece(from === 0 && end === bytes.length ? bytes : bytes.subarray(from, end));
    if (this.#left === 0) this.#afterData();
    return end;
  }

  #readPadding(bytes: Buffer, from: number): number {
    const end = Math.min(bytes.length, from + this.#padding);
    this.#padding -= end - from;
    if (this.#padding === 0) this.#endData();
    return end;
  }

  #afterData(): void {
    if (this.#padding > 0) this.#phase = 'padding';
    else this.#endData();
  }

  #endData(): void {
    this.#phase = 'head';
    this.#listener.onDataEnd((this.#flags & Flag.endStream) !== 0);
  }

  // --- all others

  #readPayload(bytes: Buffer, from: number): number {
    if (this.#payload === undefined && bytes.length - from >= this.#left) {
      const end = from + this.#left;
      this.#onPayload(bytes, from, end);
      return end;
    }
    this.#payload ??= Buffer.allocUnsafe(this.#left);
    const payload = this.#payload;
    const end = Math.min(bytes.length, from + payload.length - this.#payloadBytes);
    bytes.copy(payload, this.#payloadBytes, from, end);
    this.#payloadBytes += end - from;
    if (this.#payloadBytes === payload.length) {
      this.#payload = undefined;
      this.#payloadBytes = 0;
      this.#onPayload(payload, 0, payload.length);
    }
    return end;
  }

  /** @param from where the payload begins. @param end where it ends. */
  #onPayload(bytes: Buffer, from: number, end: number): void {
    this.#phase = 'head';
    // Nearly all are these, and one view of the block is enough.
    if (this.#type === FrameType.headers) {
      this.#onHeaders(bytes, from, end);
      return;
    }
    const payload = bytes.subarray(from, end);
    const listener = this.#listener;
    const streamId = this.#streamId;
    switch (this.#type) {
      case FrameType.continuation:
        this.#onContinuation(payload);
        break;
      case FrameType.priority:
        if (payload.length === PRIORITY_BYTES) listener.onPriority(streamId, dependencyAt(payload, 0));
        else listener.onStreamError(streamId, ErrorCode.frameSizeError);
        break;
      case FrameType.rstStream:
        listener.onReset(streamId, payload.readUInt32BE(0));
        break;
      case FrameType.settings:
        if ((this.#flags & Flag.ack) === 0) listener.onSettings(payload);
        else listener.onSettingsAck();
        break;
      case FrameType.ping:
        if ((this.#flags & Flag.ack) === 0) listener.onPing(payload);
        else listener.onPingAck(payload);
        break;
      case FrameType.goaway:
        listener.onGoaway(dependencyAt(payload, 0), payload.readUInt32BE(4));
        break;
      case FrameType.windowUpdate:
        listener.onWindowUpdate(streamId, dependencyAt(payload, 0));
        break;
      case FrameType.priorityUpdate:
        listener.onPriorityUpdate(
          dependencyAt(payload, 0),
          // One that is too long must be seen to be.
          payload.toString('latin1', 4, 5 + MAX_PRIORITY_CHARACTERS),
        );
        break;
      // Others are ignored (§5.5).
    }
  }

  /** @param from where its payload begins. @param to where that ends. */
  #onHeaders(bytes: Buffer, from: number, to: number): void {
    let start = from;
    let end = to;
    if ((this.#flags & Flag.padded) !== 0) {
      if (start === end) throw frameSizeError('padded HEADERS without a length of padding');
      end -= bytes[start] ?? 0;
      start += 1;
    }
    let dependsOn: number | undefined;
    if ((this.#flags & Flag.priority) !== 0) {
      if (to < start + PRIORITY_BYTES) throw frameSizeError('HEADERS too short for its priority');
      dependsOn = dependencyAt(bytes, start);
      start += PRIORITY_BYTES;
    }
    if (end < start) throw protocolError('a frame has more padding than there is of it');
    const fragment = bytes.subarray(start, end);
    const isLast = (this.#flags & Flag.endStream) !== 0;
    if ((this.#flags & Flag.endHeaders) !== 0) {
      this.#listener.onHeaders(this.#streamId, fragment, isLast, dependsOn);
      return;
    }
    this.#block = [Buffer.from(fragment)];
    this.#blockBytes = fragment.length;
    this.#blockStreamId = this.#streamId;
    this.#isBlockLast = isLast;
    this.#blockDependsOn = dependsOn;
  }

  #onContinuation(payload: Buffer): void {
    const block = this.#block ?? [];
    this.#blockBytes += payload.length;
    if (this.#blockBytes > this.#options.maxBlockBytes)
      throw new Http2ConnectionError(ErrorCode.enhanceYourCalm, 'a block of fields is too long');
    if (block.length > this.#options.maxContinuations)
      throw new Http2ConnectionError(ErrorCode.enhanceYourCalm, 'a block of fields has too many frames');
    block.push(Buffer.from(payload));
    if ((this.#flags & Flag.endHeaders) === 0) return;
    this.#block = undefined;
    const whole = Buffer.concat(block, this.#blockBytes);
    this.#listener.onHeaders(this.#blockStreamId, whole, this.#isBlockLast, this.#blockDependsOn);
  }
}

/** A number of 31 bits: the highest is reserved, or says what nobody uses any more. */
function dependencyAt(payload: Buffer, at: number): number {
  return payload.readUInt32BE(at) & 0x7fff_ffff;
}

function frameSizeError(message: string): Http2ConnectionError {
  return new Http2ConnectionError(ErrorCode.frameSizeError, message);
}
