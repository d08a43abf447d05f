/**
 * A WebSocket that a client opens on a stream of HTTP/2: extended CONNECT (RFC 8441).
 *
 * What the client sends is a body like any other. Before the tunnel is open it waits, as much as its window lets in.
 */
import { constants, type ServerHttp2Stream } from 'node:http2';
import { Duplex } from 'node:stream';
import { eachField } from '../../headers/fields.js';
import { WebSocketHandshake } from '../../headers/web-socket.js';
import type { Http2ResponseWriter } from './response-writer.js';
import type { BodySink, RequestBody } from '../request-body.js';
import type { Tunnel, UpgradeRequest } from '../request-context.js';
import { writeCopy } from '../../../net/write-copy.js';

/** Fields of a 101 that a 200 to CONNECT has no use for (RFC 8441 §5, RFC 9110 §9.3.6). */
const OF_HTTP1 = new Set(['sec-websocket-accept', 'content-length']);

/** What is written is passed on in pieces of the pump's size. */
const HIGH_WATER_MARK_BYTES = 65_536;

/** A request to open a WebSocket. Nobody reads its stream until there is a response. */
export class ExtendedConnect implements UpgradeRequest {
  readonly protocol = 'websocket';
  readonly isRequired = true;
  readonly #stream: ServerHttp2Stream;
  readonly #writer: Http2ResponseWriter;
  readonly #body: RequestBody | undefined;
  readonly #handshake = new WebSocketHandshake();
  #isOpen = false;

  /** @param body what the client sends; absent where that has ended already. */
  constructor(stream: ServerHttp2Stream, writer: Http2ResponseWriter, body: RequestBody | undefined) {
    this.#stream = stream;
    this.#writer = writer;
    this.#body = body;
    // Another answer is out: what waits would keep the stream from closing.
    stream.once('finish', () => {
      if (!this.#isOpen) body?.discard();
    });
  }

  /** The fields of the request, as a backend needs them. */
  requestFields(fields: readonly string[]): string[] {
    return this.#handshake.request(fields);
  }

  isAnsweredBy(fields: readonly string[]): boolean {
    return this.#handshake.isAnsweredBy(fields);
  }

  open(_statusMessage: string, fields: readonly string[]): Tunnel {
    const passed: string[] = [];
    eachField(fields, (name, value) => {
      if (!OF_HTTP1.has(name.toLowerCase())) passed.push(name, value);
    });
    const writer = this.#writer;
    writer.openTunnel(passed);
    this.#isOpen = true;
    const onBytes = (bytes: number): void => void (writer.bodyBytes += bytes);
    const stream = new TunnelStream(this.#stream, this.#body, onBytes);
    return { stream, early: [], reset: () => stream.destroy() };
  }
}

/**
 * A stream of HTTP/2 as a connection: its end is an end only where the client has said so. (Node ends a stream that the client has reset,
 * in both directions.) Destroyed before both directions have ended, it is reset with CANCEL, which is what RFC 8441 §5 has for TCP's reset.
 */
class TunnelStream extends Duplex implements BodySink {
  readonly #stream: ServerHttp2Stream;
  readonly #body: RequestBody | undefined;
  readonly #onBytes: (bytes: number) => void;
  /** The client has ended its direction. */
  #hasEnded = false;
  /** We have ended ours. */
  #hasFinished = false;
  /** Waits for the client to take more. */
  #onTaken: (() => void) | undefined;

  /** @param onBytes told of what is sent. */
  constructor(stream: ServerHttp2Stream, body: RequestBody | undefined, onBytes: (bytes: number) => void) {
    super({ writableHighWaterMark: HIGH_WATER_MARK_BYTES });
    this.#stream = stream;
    this.#body = body;
    this.#onBytes = onBytes;
    stream.on('drain', () => this.#takeMore());
    stream.on('aborted', () => this.#fail());
    stream.on('close', () => {
      // What the client has sent before its end may still wait for the backend.
      const isWhole = this.#hasFinished && body?.isWhole === true;
      if (!this.#isOver && !isWhole) this.#fail();
    });
    if (stream.destroyed) this.#fail();
    else if (body === undefined) this.onBodyEnd();
    else body.start(this);
  }

  onBodyPiece(piece: Buffer): boolean {
    if (!this.push(piece)) this.#body?.pause();
    return true;
  }

  onBodyEnd(): void {
    this.#hasEnded = true;
    this.push(null);
  }

  onBodyFailure(): void {
    this.#fail();
  }

  override _read(): void {
    this.#body?.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#onBytes(chunk.length);
    // Who writes uses the memory again as soon as it is told that nothing waits here.
    if (writeCopy(this.#stream, chunk)) done();
    else this.#onTaken = done;
  }

  override _final(done: () => void): void {
    this.#stream.end(() => {
      this.#hasFinished = true;
      done();
    });
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const stream = this.#stream;
    if (!this.#isOver) stream.close(constants.NGHTTP2_CANCEL);
    // What nobody reads would keep it from closing.
    this.#body?.discard();
    done(error);
  }

  get #isOver(): boolean {
    return this.#hasEnded && this.#hasFinished;
  }

  #takeMore(): void {
    const taken = this.#onTaken;
    this.#onTaken = undefined;
    taken?.();
  }

  #fail(): void {
    this.destroy(new Error('the client has reset the stream'));
  }
}
