/**
 * A client's connection on HTTP/2, on frames of our own: its streams, its windows, its settings, and its end.
 *
 * Whatever the client does wrong with one stream ends that stream; with the connection, the connection, by a GOAWAY that says what it
 * was (RFC 9113 §5.4). The connection is then read until the client has closed it or some seconds are over: a close with octets unread makes the
 * kernel send a reset, which may overtake the GOAWAY.
 */
import type { ClientSocket } from '../../../net/client-socket.js';
import { destroyOnError } from '../../../net/destroy-on-error.js';
import { TakeWatch } from '../../../net/take-watch.js';
import type { SocketReader } from '../../../net/socket-reader.js';
import { bufferedOf, takeReads } from '../../../net/socket-reads.js';
import {
  ErrorCode,
  FrameType,
  Http2ConnectionError,
  INITIAL_WINDOW_BYTES,
  MAX_WINDOW_BYTES,
  Setting,
  flowControlError,
  protocolError,
} from '../../http2/frames.js';
import { FrameReader, type FrameListener } from '../../http2/frame-reader.js';
import {
  goawayFrame,
  pingFrame,
  settingsAckFrame,
  settingsFrame,
  windowUpdateFrame,
} from '../../http2/frame-writer.js';
import { changedPriority, readPriority } from '../../http2/priority.js';
import type { RequestFields } from '../../http2/request-fields.js';
import type { AbuseCounts } from '../abuse-budget.js';
import type { ClientConnection } from '../client-connection.js';
import { CONNECTION_WINDOW_BYTES, MAX_CONCURRENT_STREAMS, STREAM_WINDOW_BYTES } from '../http2-limits.js';
import { ClientSettings, type ClientSettingsListener } from './client-settings.js';
import { DataIntake } from './data-intake.js';
import { EarlyPriorities } from './early-priorities.js';
import { FieldWriter } from './field-writer.js';
import { FrameMeter } from './frame-meter.js';
import { HeadIntake } from './head-intake.js';
import { Output } from './output.js';
import { SendTurns } from './send-turns.js';
import { StreamErrors } from './stream-errors.js';
import { StreamTable } from './stream-table.js';
import { Http2Stream, type StreamFacts, type StreamOwner } from './stream.js';

/** Octets of a block as it comes; the list that it makes has a limit of its own. */
const MAX_BLOCK_BYTES = 262_144;
const MAX_CONTINUATIONS = 64;

/** Of the first GOAWAY: any stream may still be answered (RFC 9113 §6.8). */
const ANY_STREAM_ID = 0x7fff_ffff;
/** With the first GOAWAY: its answer says that the client has read that. */
const DRAIN_PING = Buffer.from('draining');
/** In so many looks a client has to take something. */
const LOOKS = 4;
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

export class Http2Connection implements FrameListener, StreamOwner, SocketReader, ClientSettingsListener {
  readonly client: ClientConnection;
  readonly output: Output;
  sendWindow = INITIAL_WINDOW_BYTES;
  sentBytes = 0;
  readonly #owner: Http2ConnectionOwner;
  readonly #socket: ClientSocket;
  readonly #reader: FrameReader;
  readonly #fields: FieldWriter;
  readonly #meter: FrameMeter;
  readonly #streams = new StreamTable();
  readonly #turns = new SendTurns();
  readonly #earlyPriorities = new EarlyPriorities();
  readonly #errors: StreamErrors;
  readonly #settings = new ClientSettings(this);
  readonly #data: DataIntake;
  readonly #heads: HeadIntake;
  /** We have said GOAWAY, and which stream is the last: undefined, none yet. */
  #goawayId: number | undefined;
  #takeWatch: TakeWatch | undefined;
  #isEnding = false;
  #isClosed = false;

  constructor(client: ClientConnection, owner: Http2ConnectionOwner) {
    this.client = client;
    this.#owner = owner;
    this.#socket = client.socket;
    this.output = new Output(
      client.socket,
      () => this.#streams.size === 1,
      () => this.#onRoom(),
    );
    this.#fields = new FieldWriter(this.output);
    this.#reader = new FrameReader(this, {
      maxBlockBytes: MAX_BLOCK_BYTES,
      maxContinuations: MAX_CONTINUATIONS,
    });
    this.#meter = new FrameMeter(owner.now);
    this.#errors = new StreamErrors({ output: this.output, meter: this.#meter, streams: this.#streams });
    const common = {
      meter: this.#meter,
      streams: this.#streams,
      onStreamError: (stream: Http2Stream, code: number) => this.#errors.reset(stream, code),
      pay: (isWithin: boolean) => this.#errors.pay(isWithin),
    };
    this.#data = new DataIntake({
      ...common,
      output: this.output,
      onUnknownStream: (streamId) => this.#errors.onUnknownStream(streamId, FrameType.data),
    });
    this.#heads = new HeadIntake(
      {
        ...common,
        isTaking: () => this.#goawayId === undefined || this.#goawayId === ANY_STREAM_ID,
        open: (streamId, request, facts, isOverLimit) => this.#open(streamId, request, facts, isOverLimit),
        refuse: (streamId, code) => this.#errors.refuse(streamId, code),
        onUnknownStream: (streamId) => this.#errors.onUnknownStream(streamId, FrameType.headers),
      },
      owner.maxListBytes,
    );
  }

  /** Greets, and begins to read. */
  begin(): void {
    const socket = this.#socket;
    this.output.push(
      settingsFrame([
        [Setting.maxConcurrentStreams, MAX_CONCURRENT_STREAMS],
        [Setting.initialWindowSize, STREAM_WINDOW_BYTES],
        [Setting.maxHeaderListSize, this.#owner.maxListBytes],
        // WebSockets come as streams (RFC 8441).
        [Setting.enableConnectProtocol, 1],
        [Setting.noRfc7540Priorities, 1],
      ]),
    );
    this.output.push(windowUpdateFrame(0, CONNECTION_WINDOW_BYTES - INITIAL_WINDOW_BYTES));
    destroyOnError(socket);
    socket.on('end', () => this.#onEnd());
    socket.on('close', () => this.#onClose());
    for (let early = bufferedOf(socket); early !== null; early = bufferedOf(socket)) this.onRead(early);
    if (!takeReads(socket, this)) socket.on('data', (bytes: Buffer) => this.onRead(bytes));
    socket.resume();
  }

  /** Of each stream of the client, in bytes. */
  get receiveWindow(): number {
    return this.#data.streamWindow;
  }

  get isEnding(): boolean {
    return this.#isEnding;
  }

  /** The client has been told that the connection ends. */
  get isDraining(): boolean {
    return this.#goawayId !== undefined;
  }

  /** Ends with what is under way. The client is told at once, and which streams are answered when a round trip is over (RFC 9113 §6.8). */
  drain(): void {
    if (this.#goawayId !== undefined) return;
    this.#goaway(ANY_STREAM_ID, ErrorCode.noError);
    this.output.push(pingFrame(DRAIN_PING, false));
  }

  /** No stream is taken any more: the round trip is over, or has taken too long. */
  lastGoaway(): void {
    if (this.#goawayId !== ANY_STREAM_ID) return;
    this.#goaway(this.#streams.lastId, ErrorCode.noError);
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
      // Its answers are held here: it has to take them before it asks for more.
      if (this.output.isFlooded) this.#socket.pause();
    } catch (thrown) {
      this.#onError(thrown);
    }
  }

  /** Looks whether the client takes what waits for it. To be called so often that `LOOKS` of it are the time that it has. */
  look(): void {
    if (this.output.unsentBytes === 0) this.#takeWatch = undefined;
    else if ((this.#takeWatch ??= new TakeWatch(this.#socket)).look()) this.#socket.destroy();
    for (const stream of this.#turns.stalled(LOOKS)) this.stop(stream, ErrorCode.cancel);
  }

  // --- from the reader

  onFrame(type: number, payloadBytes: number): void {
    this.#errors.pay(this.#meter.onFrame(type, payloadBytes));
  }

  onData(streamId: number, flowBytes: number): void {
    this.#data.begin(streamId, flowBytes);
  }

  onDataPiece(piece: Buffer): void {
    this.#data.piece(piece);
  }

  onDataEnd(isLast: boolean): void {
    this.#data.end(isLast);
  }

  onHeaders(streamId: number, block: Buffer, isLast: boolean, dependsOn: number | undefined): void {
    this.#heads.take(streamId, block, isLast, dependsOn);
  }

  onPriority(streamId: number, dependsOn: number): void {
    if (streamId === dependsOn) this.onStreamError(streamId, ErrorCode.protocolError);
  }

  onReset(streamId: number): void {
    const stream = this.#streams.get(streamId);
    if (this.#errors.isIdle(streamId)) throw protocolError('RST_STREAM of a stream that has not begun');
    if (stream === undefined) return;
    stream.reset(undefined);
    this.#errors.pay(this.#meter.onReset());
  }

  onSettings(settings: Buffer): void {
    this.#settings.take(settings);
    this.output.push(settingsAckFrame());
    this.#pump();
  }

  onSettingsAck(): void {
    this.#data.onSettingsAck();
  }

  onPing(opaque: Buffer): void {
    this.output.push(pingFrame(opaque, true));
  }

  onPingAck(opaque: Buffer): void {
    if (opaque.equals(DRAIN_PING)) this.lastGoaway();
  }

  onGoaway(): void {
    // The client opens no stream any more; those that are open are answered.
  }

  onWindowUpdate(streamId: number, increment: number): void {
    if (streamId === 0) {
      if (increment === 0) throw protocolError('WINDOW_UPDATE of nothing');
      this.sendWindow += increment;
      if (this.sendWindow > MAX_WINDOW_BYTES)
        throw flowControlError('the window of the connection is too large');
      this.#pump();
      return;
    }
    const stream = this.#streams.get(streamId);
    if (this.#errors.isIdle(streamId)) throw protocolError('WINDOW_UPDATE of a stream that has not begun');
    if (stream === undefined) return;
    stream.sendWindow += increment;
    if (increment === 0) this.#errors.reset(stream, ErrorCode.protocolError);
    else if (stream.sendWindow > MAX_WINDOW_BYTES) this.#errors.reset(stream, ErrorCode.flowControlError);
    else this.#pump();
  }

  onPriorityUpdate(streamId: number, value: string): void {
    if (streamId % 2 === 0) throw protocolError('PRIORITY_UPDATE of a stream that is not of the client');
    const stream = this.#streams.get(streamId);
    if (stream !== undefined) this.#turns.change(stream, readPriority(value));
    else if (this.#streams.isIdle(streamId)) this.#earlyPriorities.keep(streamId, value);
  }

  onStreamError(streamId: number, code: number): void {
    this.#errors.onError(streamId, code);
  }

  // --- from its settings

  onTableBytes(bytes: number): void {
    this.#fields.changeTableBytes(bytes);
  }

  onWindowChange(bytes: number): void {
    for (const stream of this.#streams.all()) {
      stream.sendWindow += bytes;
      if (stream.sendWindow > MAX_WINDOW_BYTES) throw flowControlError('the window of a stream is too large');
    }
  }

  // --- from its streams

  spend(bytes: number): void {
    this.sendWindow -= bytes;
    this.sentBytes += bytes;
    this.#meter.onSent(bytes);
  }

  sendFields(
    streamId: number,
    fields: readonly string[],
    isLast: boolean,
    neverIndexedNames?: readonly string[],
  ): void {
    this.#fields.write(streamId, fields, isLast, neverIndexedNames);
  }

  onPriorityAnswered(stream: Http2Stream, value: string): void {
    this.#turns.change(stream, changedPriority(stream.priority, value));
  }

  onWaiting(stream: Http2Stream): void {
    this.#turns.wait(stream);
  }

  onHeld(bytes: number): void {
    this.#data.onHeld(bytes);
  }

  onBodyWanted(stream: Http2Stream): void {
    if (!stream.isClosed && stream.awaitsContinue && stream.writer?.headersSent === false)
      this.sendFields(stream.id, CONTINUE_FIELDS, false);
  }

  stop(stream: Http2Stream, code: number): void {
    this.#streams.rememberReset(stream.id);
    stream.reset(code);
  }

  onClosed(stream: Http2Stream): void {
    this.#streams.delete(stream);
    this.#turns.delete(stream);
    if (this.#streams.size > 0) return;
    if (this.#goawayId === undefined) this.#owner.onBusy(this, false);
    else if (this.#goawayId !== ANY_STREAM_ID) this.#end();
  }

  // ---

  #open(streamId: number, request: RequestFields, facts: StreamFacts, isOverLimit: boolean): void {
    const stream = new Http2Stream(streamId, this, this.#settings.windowBytes, facts);
    const said = this.#earlyPriorities.take(streamId) ?? request.priority;
    if (said !== undefined && said !== '') stream.priority = readPriority(said);
    this.#streams.add(stream);
    // One that ends has its deadlines.
    if (this.#streams.size === 1 && this.#goawayId === undefined) this.#owner.onBusy(this, true);
    this.#owner.onRequest(stream, request, this, isOverLimit);
  }

  #onRoom(): void {
    this.#pump();
    if (!this.output.isFull && this.#socket.isPaused()) this.#socket.resume();
  }

  #pump(): void {
    this.#turns.pump(this.#maySend);
  }

  readonly #maySend = (): boolean => !this.output.isFull && this.sendWindow > 0;

  #onError(thrown: unknown): void {
    // Anything else is a mistake of ours.
    if (!(thrown instanceof Http2ConnectionError)) throw thrown;
    if (this.#isEnding) return;
    this.#goaway(this.#streams.lastId, thrown.code);
    this.#owner.onCutOff(this, thrown.message, this.#meter.counts);
    this.#end();
    this.#failStreams();
  }

  #goaway(lastStreamId: number, code: number): void {
    this.#goawayId = lastStreamId;
    this.#errors.lastTakenId = lastStreamId;
    this.output.push(goawayFrame(lastStreamId, code));
  }

  /** Ends our side when all is out. What still comes is dropped. */
  #end(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#reader.stop();
    this.#data.stop();
    this.output.end();
    this.#owner.onBusy(this, false);
  }

  #failStreams(): void {
    for (const stream of this.#streams.all()) stream.reset(undefined);
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
