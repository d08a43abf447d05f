/**
 * Blocks of fields that come on a connection: the heads of requests, and trailers.
 *
 * Whatever becomes of its stream, every block is decoded: the next one may refer to what is in it (RFC 9113 §4.3).
 */
import { ErrorCode, Http2ConnectionError } from '../../http2/frames.js';
import { CompressionError } from '../../http2/hpack/compression-error.js';
import { HpackDecoder, type DecodedBlock } from '../../http2/hpack/decoder.js';
import {
  MalformedFields,
  readRequestFields,
  readTrailers,
  type RequestFields,
} from '../../http2/request-fields.js';
import { isForWebSocket } from '../extended-connect.js';
import { MAX_CONCURRENT_STREAMS } from '../http2-limits.js';
import type { FrameMeter } from './frame-meter.js';
import type { StreamTable } from './stream-table.js';
import type { Http2Stream, StreamFacts } from './stream.js';

/** Of trailers, as lists are counted. */
const MAX_TRAILER_BYTES = 65_536;

export interface HeadIntakeParts {
  readonly meter: FrameMeter;
  readonly streams: StreamTable;
  /** Whether streams are taken still. */
  isTaking(this: void): boolean;
  /** A request has come. @param isOverLimit its head is above our limits: some of its fields are missing. */
  open(this: void, streamId: number, request: RequestFields, facts: StreamFacts, isOverLimit: boolean): void;
  /** Does not let a stream begin. */
  refuse(this: void, streamId: number, code: number): void;
  /** The stream of a frame is not open. @throws Http2ConnectionError where that ends the connection */
  onUnknownStream(this: void, streamId: number): void;
  /** A stream has an error. */
  onStreamError(this: void, stream: Http2Stream, code: number): void;
  /** @param isWithin whether the client is within its budget. @throws Http2ConnectionError where it is not */
  pay(this: void, isWithin: boolean): void;
}

export class HeadIntake {
  readonly #parts: HeadIntakeParts;
  readonly #decoder: HpackDecoder;

  /** @param maxListBytes as §6.5.2 counts. */
  constructor(parts: HeadIntakeParts, maxListBytes: number) {
    this.#parts = parts;
    this.#decoder = new HpackDecoder({ maxListBytes });
  }

  /** @param dependsOn the stream in its priority fields, if it has any. */
  take(streamId: number, block: Buffer, isLast: boolean, dependsOn: number | undefined): void {
    const { meter, streams, pay, onUnknownStream } = this.#parts;
    const decoded = this.#decode(block);
    pay(meter.onBlock(decoded, block.length));
    const stream = streams.get(streamId);
    if (stream !== undefined) this.#onTrailers(stream, decoded, isLast);
    else if (streamId <= streams.lastId || streamId % 2 === 0) onUnknownStream(streamId);
    else this.#onRequest(streamId, decoded, isLast, dependsOn === streamId);
  }

  #onRequest(streamId: number, decoded: DecodedBlock, isLast: boolean, dependsOnItself: boolean): void {
    const { streams, isTaking, refuse, open, pay, meter } = this.#parts;
    if (!isTaking()) return;
    streams.lastId = streamId;
    if (streams.size >= MAX_CONCURRENT_STREAMS) {
      refuse(streamId, ErrorCode.refusedStream);
      return;
    }
    const { isOverLimit } = decoded;
    const read = readRequestFields(decoded.fields, decoded.neverIndexedNames);
    // Of one that is too large some fields may be missing.
    const request = read instanceof MalformedFields && isOverLimit ? UNKNOWN_REQUEST : read;
    const isWrong = request instanceof MalformedFields || dependsOnItself;
    if (isWrong || (isLast && (request.length ?? 0) > 0)) {
      refuse(streamId, ErrorCode.protocolError);
      return;
    }
    if (isOverLimit) pay(meter.onRefusedHead());
    const awaitsContinue = !isLast && request.expects === '100-continue';
    const isForTunnel = isForWebSocket(request.method, request.protocol);
    const facts = { hasBody: !isLast, length: request.length, awaitsContinue, isForTunnel };
    open(streamId, request, facts, isOverLimit);
  }

  #onTrailers(stream: Http2Stream, { fields, listBytes }: DecodedBlock, isLast: boolean): void {
    const { onStreamError } = this.#parts;
    if (stream.hasRemoteEnded) {
      onStreamError(stream, ErrorCode.streamClosed);
      return;
    }
    const trailers = readTrailers(fields);
    const isWrong = !isLast || listBytes > MAX_TRAILER_BYTES || trailers instanceof MalformedFields;
    const code = isWrong ? ErrorCode.protocolError : stream.onEnd(trailers);
    if (code !== undefined) onStreamError(stream, code);
  }

  #decode(block: Buffer): DecodedBlock {
    try {
      return this.#decoder.decode(block);
    } catch (thrown) {
      if (!(thrown instanceof CompressionError)) throw thrown;
      throw new Http2ConnectionError(ErrorCode.compressionError, thrown.message);
    }
  }
}

const UNKNOWN_REQUEST: RequestFields = {
  ...{ method: 'GET', scheme: 'https', path: '/', authority: undefined, protocol: undefined },
  ...{ fields: [], length: undefined, hosts: [], accept: undefined },
  ...{ expects: 'nothing', priority: undefined, neverIndexedNames: [] },
};
