/**
 * A client's connection on HTTP/2, on frames of our own: its streams, its windows, its settings, and its end.
 *
 * Whatever the client does wrong with one stream ends that stream; with the connection, the connection, by a GOAWAY that says what it
 * was (RFC 9113 §5.4). The connection is then read until the client has closed it or some seconds are over: a close with octets unread makes the
 * kernel send a reset, which may overtake the GOAWAY.
 */
import type { Socket } from 'node:net';
import { takeReads, type SocketReader } from '../../../net/socket-reads.js';
import {
  ErrorCode,
  Flag,
  FrameType,
  Http2ConnectionError,
  INITIAL_WINDOW_BYTES,
  MAX_PAYLOAD_BYTES,
  MAX_WINDOW_BYTES,
  Setting,
} from '../../http2/frames.js';
import { FrameReader, type FrameListener } from '../../http2/frame-reader.js';
import {
  goawayFrame,
  pingFrame,
  resetFrame,
  settingsAckFrame,
  settingsFrame,
  windowUpdateFrame,
} from '../../http2/frame-writer.js';
import { CompressionError } from '../../http2/hpack/compression-error.js';
import { HpackDecoder } from '../../http2/hpack/decoder.js';
import { HpackEncoder } from '../../http2/hpack/encoder.js';
import {
  MalformedFields,
  readRequestFields,
  readTrailers,
  type RequestFields,
} from '../../http2/request-fields.js';
import type { AbuseCounts } from '../abuse-budget.js';
import type { ClientConnection } from '../client-connection.js';
import { FrameMeter } from './frame-meter.js';
import { Output } from './output.js';
import { CONNECTION_WINDOW_BYTES, ReceiveWindow, STREAM_WINDOW_BYTES } from './receive-window.js';
import { Http2Stream, type StreamOwner } from './stream.js';

/** The most streams of a client at once: as many as nginx allows. */
export const MAX_STREAMS = 128;
/** Octets of a block as it comes; the list that it makes has a limit of its own. */
const MAX_BLOCK_BYTES = 262_144;
const MAX_CONTINUATIONS = 64;
/** Streams that we have reset are remembered: what the client had sent before it heard of that is ignored (§5.1). */
const MAX_REMEMBERED_RESETS = 256;

const GREETING_ID = 0x7fff_ffff;
const CONTINUE_FIELDS = [':status', '100'] as const;

export interface Http2ConnectionOwner {
  /** Lists of fields above it are answered 431, in octets as §6.5.2 counts. */
  readonly maxListBytes: number;
  /** Milliseconds from any origin, by which budgets fill again. */
  readonly now: () => number;
  /** A request has come. @param isOverLimit its head is above our limits: some of its fields are missing. */
  onRequest(
    stream: Http2Stream,
    request: RequestFields,
    connection: Http2Connection,
    isOverLimit: boolean,
  ): void;
  /** The client was cut off. */
  onCutOff(connection: Http2Connection, reason: string, counts: AbuseCounts): void;
  /** There is a stream again, or none any more. */
  onBusy(connection: Http2Connection, isBusy: boolean): void;
  onClosed(connection: Http2Connection): void;
}

/** Read into by all connections: what is kept is copied. Shared only where a read is one step, so not on Windows. */
const SHARED = process.platform === 'win32' ? undefined : Buffer.allocUnsafeSlow(65_536);

export class Http2Connection implements FrameListener, StreamOwner, SocketReader {
  readonly client: ClientConnection;
  readonly output: Output;
  sendWindow = INITIAL_WINDOW_BYTES;
  readonly #owner: Http2ConnectionOwner;
  readonly #socket: Socket;
  readonly #reader: FrameReader;
  readonly #decoder: HpackDecoder;
  readonly #encoder = new HpackEncoder();
  readonly #meter: FrameMeter;
  readonly #streams = new Map<number, Http2Stream>();
  /** Those with something that could not be sent, in their turns. */
  readonly #waiting = new Set<Http2Stream>();
  /** Those with small pieces of bodies. */
  #joining: Http2Stream[] = [];
  readonly #wasReset = new Set<number>();
  #lastStreamId = 0;
  /** What the client's windows of streams begin with. */
  #initialWindow = INITIAL_WINDOW_BYTES;
  /** The stream of the DATA that is being read; undefined: it is dropped. */
  #dataStream: Http2Stream | undefined;
  #dataBytes = 0;
  #flowBytes = 0;
  readonly #window = new ReceiveWindow();
  #greetedAtMs = 0;
  #isPumping = false;
  /** We have said GOAWAY, and which stream is the last: undefined, none yet. */
  #goawayId: number | undefined;
  #isEnding = false;
  #isClosed = false;

  constructor(client: ClientConnection, owner: Http2ConnectionOwner) {
    this.client = client;
    this.#owner = owner;
    this.#socket = client.socket;
    this.output = new Output(client.socket, () => this.#pump());
    this.#reader = new FrameReader(this, {
      maxBlockBytes: MAX_BLOCK_BYTES,
      maxContinuations: MAX_CONTINUATIONS,
    });
    this.#decoder = new HpackDecoder({ maxListBytes: owner.maxListBytes });
    this.#meter = new FrameMeter(owner.now);
  }

  /** Greets, and begins to read. */
  begin(): void {
    this.#greetedAtMs = performance.now();
    const socket = this.#socket;
    this.output.push(
      settingsFrame([
        [Setting.maxConcurrentStreams, MAX_STREAMS],
        [Setting.initialWindowSize, STREAM_WINDOW_BYTES],
        [Setting.maxHeaderListSize, this.#owner.maxListBytes],
        [Setting.noRfc7540Priorities, 1],
      ]),
    );
    this.output.push(windowUpdateFrame(0, CONNECTION_WINDOW_BYTES - INITIAL_WINDOW_BYTES));
    socket.on('error', destroyIt);
    socket.once('end', () => this.#onEnd());
    socket.once('close', () => this.#onClose());
    for (let early = readOf(socket); early !== null; early = readOf(socket)) this.onRead(early);
    if (!takeReads(socket, this)) socket.on('data', (bytes: Buffer) => this.onRead(bytes));
    socket.resume();
  }

  /** Of each stream of the client, in bytes. */
  get receiveWindow(): number {
    return this.#window.streamBytes;
  }

  get streamCount(): number {
    return this.#streams.size;
  }

  /** A frame has begun and not ended. */
  get isWithin(): boolean {
    return this.#reader.isWithin;
  }

  get isEnding(): boolean {
    return this.#isEnding;
  }

  /** Ends with what is under way. The client is told at once, and which streams are answered when a round trip is over. */
  drain(): void {
    if (this.#goawayId !== undefined) return;
    this.#goaway(GREETING_ID, ErrorCode.noError);
    if (this.#streams.size === 0) this.lastGoaway();
  }

  /** No stream is taken any more. */
  lastGoaway(): void {
    if (this.#goawayId !== GREETING_ID && this.#goawayId !== undefined) return;
    this.#goaway(this.#lastStreamId, ErrorCode.noError);
    if (this.#streams.size === 0) this.#end();
  }

  // --- from the socket

  buffer(): Buffer {
    return SHARED ?? Buffer.allocUnsafeSlow(65_536);
  }

  onRead(bytes: Buffer): void {
    if (this.#isEnding) return;
    try {
      this.#reader.read(bytes);
      this.#passOn();
    } catch (thrown) {
      this.#onError(thrown);
    }
  }

  // --- from the reader

  onFrame(type: number, payloadBytes: number): void {
    this.#pay(this.#meter.onFrame(type, payloadBytes));
  }

  onData(streamId: number, flowBytes: number): void {
    this.#dataBytes = 0;
    this.#flowBytes = flowBytes;
    if (!this.#window.onData(flowBytes))
      throw new Http2ConnectionError(
        ErrorCode.flowControlError,
        'DATA is more than the window of the connection',
      );
    const stream = this.#streams.get(streamId);
    this.#dataStream = stream;
    if (stream === undefined) this.#onUnknownStream(streamId, FrameType.data);
    else this.#check(stream, stream.onData(flowBytes));
  }

  onDataPiece(piece: Buffer): void {
    this.#dataBytes += piece.length;
    const stream = this.#dataStream;
    if (stream !== undefined && !stream.isClosed) this.#check(stream, stream.onDataPiece(piece));
  }

  onDataEnd(isLast: boolean): void {
    const stream = this.#dataStream;
    this.#dataStream = undefined;
    this.#pay(this.#meter.onData(this.#dataBytes, this.#flowBytes - this.#dataBytes, isLast));
    if (stream !== undefined && !stream.isClosed) {
      stream.onDataEnd();
      if (isLast) this.#check(stream, stream.onEnd([]));
    }
    this.#credit();
  }

  onHeaders(streamId: number, block: Buffer, isLast: boolean, dependsOn: number | undefined): void {
    // Whatever becomes of it: what comes next may refer to it (§4.3).
    const decoded = this.#decode(block);
    this.#pay(this.#meter.onBlock(decoded, block.length));
    const stream = this.#streams.get(streamId);
    if (stream !== undefined) {
      this.#onTrailers(stream, decoded.fields, isLast);
      return;
    }
    if (streamId <= this.#lastStreamId || streamId % 2 === 0) {
      this.#onUnknownStream(streamId, FrameType.headers);
      return;
    }
    if (this.#goawayId !== undefined && this.#goawayId !== GREETING_ID) return;
    this.#lastStreamId = streamId;
    if (this.#streams.size >= MAX_STREAMS) {
      this.#refuse(streamId, ErrorCode.refusedStream);
      return;
    }
    if (dependsOn === streamId) {
      this.#refuse(streamId, ErrorCode.protocolError);
      return;
    }
    const request = readRequestFields(decoded.fields);
    if (request instanceof MalformedFields && !decoded.isOverLimit) {
      this.#refuse(streamId, ErrorCode.protocolError);
      return;
    }
    this.#open(streamId, request, isLast, decoded.isOverLimit);
  }

  onPriority(streamId: number, dependsOn: number): void {
    if (streamId === dependsOn) this.onStreamError(streamId, ErrorCode.protocolError);
  }

  onReset(streamId: number): void {
    const stream = this.#streams.get(streamId);
    if (stream === undefined) {
      if (this.#isIdle(streamId)) throw protocolError('RST_STREAM of a stream that has not begun');
      return;
    }
    stream.reset(undefined);
    this.#pay(this.#meter.onReset());
  }

  onSettings(settings: Buffer): void {
    for (let at = 0; at < settings.length; at += 6)
      this.#takeSetting(settings.readUInt16BE(at), settings.readUInt32BE(at + 2));
    this.output.push(settingsAckFrame());
    this.#pump();
  }

  onSettingsAck(): void {
    this.#window.onRoundTrip(performance.now() - this.#greetedAtMs);
    // Only of the first ones it is known when they went out.
    this.#greetedAtMs = -Infinity;
  }

  onPing(opaque: Buffer): void {
    this.output.push(pingFrame(opaque, true));
  }

  onPingAck(): void {
    // We ask for none.
  }

  onGoaway(): void {
    // The client opens no stream any more; those that are open are answered.
  }

  onWindowUpdate(streamId: number, increment: number): void {
    if (streamId === 0) {
      if (increment === 0) throw protocolError('WINDOW_UPDATE of nothing');
      this.sendWindow += increment;
      if (this.sendWindow > MAX_WINDOW_BYTES)
        throw new Http2ConnectionError(
          ErrorCode.flowControlError,
          'the window of the connection is too large',
        );
      this.#pump();
      return;
    }
    const stream = this.#streams.get(streamId);
    if (stream === undefined) {
      if (this.#isIdle(streamId)) throw protocolError('WINDOW_UPDATE of a stream that has not begun');
      return;
    }
    stream.sendWindow += increment;
    if (increment === 0) this.#resetFor(stream, ErrorCode.protocolError);
    else if (stream.sendWindow > MAX_WINDOW_BYTES) this.#resetFor(stream, ErrorCode.flowControlError);
    else this.#pump();
  }

  onPriorityUpdate(): void {
    // Streams take turns.
  }

  onStreamError(streamId: number, code: number): void {
    const stream = this.#streams.get(streamId);
    if (stream !== undefined) this.#resetFor(stream, code);
    else if (this.#isIdle(streamId))
      throw new Http2ConnectionError(code, 'a stream that has not begun has an error');
  }

  // --- from its streams

  sendFields(streamId: number, fields: readonly string[], isLast: boolean): void {
    const block = this.#encoder.encode(fields);
    const flags = isLast ? Flag.endStream : 0;
    let type: number = FrameType.headers;
    for (let at = 0; at === 0 || at < block.length; at += MAX_PAYLOAD_BYTES) {
      const part = block.subarray(at, at + MAX_PAYLOAD_BYTES);
      const isWhole = at + MAX_PAYLOAD_BYTES >= block.length;
      const ownFlags = (type === FrameType.headers ? flags : 0) | (isWhole ? Flag.endHeaders : 0);
      const frame = this.output.frame(type, ownFlags, streamId, part.length);
      part.copy(frame.memory, frame.at);
      type = FrameType.continuation;
    }
  }

  onJoining(stream: Http2Stream): void {
    this.#joining.push(stream);
  }

  onWaiting(stream: Http2Stream): void {
    this.#waiting.add(stream);
  }

  onHeld(bytes: number): void {
    this.#window.onHeld(bytes);
    if (bytes < 0) this.#credit();
  }

  onBodyWanted(stream: Http2Stream): void {
    if (stream.awaitsContinue && stream.writer?.headersSent === false)
      this.sendFields(stream.id, CONTINUE_FIELDS, false);
  }

  stop(stream: Http2Stream, code: number): void {
    this.#remember(stream.id);
    stream.reset(code);
  }

  onClosed(stream: Http2Stream): void {
    this.#streams.delete(stream.id);
    this.#waiting.delete(stream);
    if (this.#streams.size > 0) return;
    if (this.#goawayId === undefined) this.#owner.onBusy(this, false);
    else if (!this.#isEnding) {
      this.lastGoaway();
      this.#end();
    }
  }

  // ---

  #open(
    streamId: number,
    request: RequestFields | MalformedFields,
    isLast: boolean,
    isOverLimit: boolean,
  ): void {
    // Of one that is too large some fields are missing.
    const known = request instanceof MalformedFields ? UNKNOWN_REQUEST : request;
    const stream = new Http2Stream(streamId, this, {
      sendWindow: this.#initialWindow,
      hasBody: !isLast,
      length: known.length,
      awaitsContinue: !isLast && valueOf(known.fields, 'expect')?.toLowerCase() === '100-continue',
    });
    if (isLast && known.length !== undefined && known.length > 0) {
      this.#refuse(streamId, ErrorCode.protocolError);
      return;
    }
    this.#streams.set(streamId, stream);
    if (this.#streams.size === 1) this.#owner.onBusy(this, true);
    if (isOverLimit) this.#pay(this.#meter.onRefusedHead());
    this.#owner.onRequest(stream, known, this, isOverLimit);
  }

  #onTrailers(stream: Http2Stream, block: readonly string[], isLast: boolean): void {
    if (stream.hasRemoteEnded) {
      this.#resetFor(stream, ErrorCode.streamClosed);
      return;
    }
    const trailers = readTrailers(block);
    if (!isLast || trailers instanceof MalformedFields) this.#resetFor(stream, ErrorCode.protocolError);
    else this.#check(stream, stream.onEnd(trailers));
  }

  /** Of a frame whose stream is not open. */
  #onUnknownStream(streamId: number, type: number): void {
    if (this.#isIdle(streamId)) throw protocolError('a frame of a stream that has not begun');
    // It was sent before the client heard of the reset.
    if (this.#wasReset.has(streamId)) return;
    if (type === FrameType.headers)
      throw new Http2ConnectionError(ErrorCode.streamClosed, 'HEADERS of a stream that is closed');
    this.#refuse(streamId, ErrorCode.streamClosed);
  }

  #isIdle(streamId: number): boolean {
    return streamId > this.#lastStreamId || streamId % 2 === 0;
  }

  /** Does not let a stream begin, or go on. */
  #refuse(streamId: number, code: number): void {
    this.output.push(resetFrame(streamId, code));
    this.#remember(streamId);
    this.#pay(this.#meter.onReset());
  }

  #resetFor(stream: Http2Stream, code: number): void {
    stream.reset(code, 'the client has broken the protocol');
    this.#remember(stream.id);
    this.#pay(this.#meter.onReset());
  }

  #check(stream: Http2Stream, code: number | undefined): void {
    if (code !== undefined) this.#resetFor(stream, code);
  }

  #remember(streamId: number): void {
    this.#wasReset.add(streamId);
    if (this.#wasReset.size <= MAX_REMEMBERED_RESETS) return;
    for (const oldest of this.#wasReset) {
      this.#wasReset.delete(oldest);
      break;
    }
  }

  #decode(block: Buffer): ReturnType<HpackDecoder['decode']> {
    try {
      return this.#decoder.decode(block);
    } catch (thrown) {
      if (!(thrown instanceof CompressionError)) throw thrown;
      throw new Http2ConnectionError(ErrorCode.compressionError, thrown.message);
    }
  }

  #takeSetting(id: number, value: number): void {
    switch (id) {
      case Setting.headerTableSize:
        this.#encoder.changePeerMaxTableBytes(value);
        break;
      case Setting.enablePush:
        if (value > 1) throw protocolError('SETTINGS_ENABLE_PUSH is neither 0 nor 1');
        break;
      case Setting.initialWindowSize:
        if (value > MAX_WINDOW_BYTES)
          throw new Http2ConnectionError(
            ErrorCode.flowControlError,
            'SETTINGS_INITIAL_WINDOW_SIZE is too large',
          );
        this.#changeInitialWindow(value);
        break;
      case Setting.maxFrameSize:
        if (value < MAX_PAYLOAD_BYTES || value > 0xff_ffff)
          throw protocolError('SETTINGS_MAX_FRAME_SIZE is out of its range');
        break;
    }
  }

  /** Of all streams that are open, too; their windows may come below 0 (§6.9.2). */
  #changeInitialWindow(bytes: number): void {
    const change = bytes - this.#initialWindow;
    this.#initialWindow = bytes;
    for (const stream of this.#streams.values()) {
      stream.sendWindow += change;
      if (stream.sendWindow > MAX_WINDOW_BYTES)
        throw new Http2ConnectionError(ErrorCode.flowControlError, 'the window of a stream is too large');
    }
  }

  /** Lets streams send what waits, a frame each in turns. */
  #pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    let isProgress = true;
    while (isProgress && this.#waiting.size > 0 && !this.output.isFull && this.sendWindow > 0) {
      isProgress = false;
      for (const stream of [...this.#waiting]) {
        if (this.output.isFull || this.sendWindow <= 0) break;
        const before = this.output.unsentBytes;
        const goesOn = stream.sendSome();
        if (this.output.unsentBytes > before) isProgress = true;
        if (!goesOn && stream.waitingBytes === 0) this.#waiting.delete(stream);
      }
    }
    this.#isPumping = false;
  }

  /** Opens the connection's window as far as it may be. */
  #passOn(): void {
    if (this.#joining.length === 0) return;
    const streams = this.#joining;
    this.#joining = [];
    for (const stream of streams) stream.passOn();
  }

  #credit(): void {
    if (this.#isEnding) return;
    const grown = this.#window.grow(performance.now());
    if (grown !== undefined) {
      this.output.push(settingsFrame([[Setting.initialWindowSize, grown.streamBytes]]));
      if (grown.moreBytes > 0) this.output.push(windowUpdateFrame(0, grown.moreBytes));
    }
    const bytes = this.#window.credit();
    if (bytes > 0) this.output.push(windowUpdateFrame(0, bytes));
  }

  #pay(isWithin: boolean): void {
    if (!isWithin)
      throw new Http2ConnectionError(ErrorCode.enhanceYourCalm, 'it makes us do too much for nothing');
  }

  #onError(thrown: unknown): void {
    // Anything else is a mistake of ours.
    if (!(thrown instanceof Http2ConnectionError)) throw thrown;
    if (this.#isEnding) return;
    this.#goaway(this.#lastStreamId, thrown.code);
    this.#owner.onCutOff(this, thrown.message, this.#meter.counts);
    this.#end();
    this.#failStreams();
  }

  #goaway(lastStreamId: number, code: number): void {
    this.#goawayId = lastStreamId;
    this.output.push(goawayFrame(lastStreamId, code));
  }

  /** Ends our side when all is out. What still comes is dropped. */
  #end(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#reader.stop();
    this.output.end();
    this.#owner.onBusy(this, false);
  }

  #failStreams(): void {
    for (const stream of [...this.#streams.values()]) stream.reset(undefined);
  }

  #onEnd(): void {
    // Nobody is there to be answered.
    if (!this.#isEnding || this.#socket.writableFinished) this.#socket.destroy();
  }

  #onClose(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#isEnding = true;
    this.#reader.stop();
    this.#failStreams();
    this.#owner.onClosed(this);
  }
}

const UNKNOWN_REQUEST: RequestFields = {
  ...{ method: 'GET', scheme: 'https', path: '/', authority: undefined, protocol: undefined },
  ...{ fields: [], length: undefined },
};

/** @param name in lower case, as the fields' are. */
function valueOf(fields: readonly string[], name: string): string | undefined {
  for (let i = 0; i + 1 < fields.length; i += 2) if (fields[i] === name) return fields[i + 1];
  return undefined;
}

function protocolError(message: string): Http2ConnectionError {
  return new Http2ConnectionError(ErrorCode.protocolError, message);
}

function readOf(socket: Socket): Buffer | null {
  return socket.readableLength === 0 ? null : (socket.read() as Buffer | null);
}

/** A TLS socket of Node's that was sent a record it cannot read says so, and stays open: RFC 8446 §6.2 has it closed. */
function destroyIt(this: Socket): void {
  this.destroy();
}
