/**
 * Finds out what an HTTP/2 client makes us do for nothing, and pays for it out of its budget.
 *
 * Node shows few frames. So the others are measured by what is left over: the bytes that were read, less those of heads and bodies, and
 * less what goes with them. That is looked at once a second.
 */
import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { AbuseBudget, type AbuseCounts, type AbuseKind } from '../abuse-budget.js';
import { isUploadStopped } from './stopped-uploads.js';

/** The head of a frame. */
const FRAME_BYTES = 9;
/**
 * What goes with a request beside its fields: the heads of HEADERS, of an empty DATA and of RST_STREAM, a priority, lengths in HPACK,
 * the first windows.
 */
const REQUEST_BYTES = 100;
/** HPACK's lengths and prefixes of a field, for each part of it. */
const PART_BYTES = 2;
/** The share of what is read as bodies, and of what is written, that may come beside it: padding, and WINDOW_UPDATE. */
const SHARE = 1 / 16;
/** What may be saved up for bytes that are still to come: those on the way on streams that we have closed. */
const SAVED_BYTES = 4 * 1024 ** 2;
/** A piece of a body from here on costs what bodies cost. 5 bytes are the smallest message of gRPC. */
const SMALL_BYTES = 8;
const FREE_HEAD_BYTES = 4_096;

/** What tells how a stream has ended. */
export type ClosedStream = Pick<
  ServerHttp2Stream,
  'aborted' | 'rstCode' | 'errored' | 'readableEnded' | 'endAfterHeaders'
>;

export interface MeterOptions {
  /** What carries the session: it counts decrypted bytes. */
  readonly socket: Pick<Socket, 'bytesRead' | 'bytesWritten'>;
  now(): number;
  /** The budget is spent. Called once. */
  onSpent(): void;
}

export class SessionMeter {
  readonly #session: Pick<ServerHttp2Session, 'destroyed'>;
  readonly #options: MeterOptions;
  readonly #budget: AbuseBudget;
  #isSpent = false;
  /** At the last tick. */
  #readBytes = 0;
  #writtenBytes = 0;
  /** What was read beside heads and bodies, as far as it is not paid for; below 0: what may still come. */
  #overheadBytes = 0;
  /** Of small pieces since the last tick. */
  #missingBytes = 0;

  constructor(session: ServerHttp2Session, options: MeterOptions) {
    this.#session = session;
    this.#options = options;
    this.#budget = new AbuseBudget(options.now());
    session.on('ping', () => this.#pay('ping'));
    session.on('remoteSettings', () => this.#pay('settings'));
  }

  /** What was paid for. */
  get counts(): AbuseCounts {
    return this.#budget.counts;
  }

  /**
   * The head of a request.
   *
   * @param bytes of all names and values
   * @param parts how many of them
   */
  onHead(bytes: number, parts: number): void {
    this.#overheadBytes -= bytes + PART_BYTES * parts + REQUEST_BYTES;
    if (bytes > FREE_HEAD_BYTES) this.#pay('headKib', (bytes - FREE_HEAD_BYTES) / 1_024);
  }

  onRefusedHead(): void {
    this.#pay('refusedHead');
  }

  /** A piece of a body, or of what goes through a tunnel: a chat's messages are small, and cost no more than on HTTP/1.1. */
  onPiece(bytes: number, isOfTunnel = false): void {
    this.#overheadBytes -= FRAME_BYTES + bytes * (1 + SHARE);
    if (bytes < SMALL_BYTES && !isOfTunnel) this.#missingBytes += SMALL_BYTES - bytes;
  }

  /** @param windowBytes what a client may have sent on a stream before it knows that it is closed */
  onStreamClose(stream: ClosedStream, windowBytes: number): void {
    if (this.#session.destroyed) return;
    if (isResetByClient(stream)) this.#pay('reset');
    else if (isUploadStopped(stream) || (!stream.readableEnded && !stream.endAfterHeaders))
      this.#overheadBytes -= windowBytes;
  }

  /** To be called once a second. */
  onTick(): void {
    const { bytesRead, bytesWritten } = this.#options.socket;
    this.#overheadBytes += bytesRead - this.#readBytes - SHARE * (bytesWritten - this.#writtenBytes);
    this.#readBytes = bytesRead;
    this.#writtenBytes = bytesWritten;
    if (this.#missingBytes > 0) this.#pay('missingByte', this.#missingBytes);
    this.#missingBytes = 0;
    if (this.#overheadBytes > 0) this.#pay('overheadByte', this.#overheadBytes);
    this.#overheadBytes = Math.max(-SAVED_BYTES, Math.min(0, this.#overheadBytes));
  }

  #pay(kind: AbuseKind, count = 1): void {
    if (this.#isSpent || this.#budget.pay(kind, count, this.#options.now())) return;
    this.#isSpent = true;
    this.#options.onSpent();
  }
}

/** Whether a stream that is closed was reset by the client, or by nghttp2 for what the client has sent on it. */
function isResetByClient({ aborted, rstCode, errored }: ClosedStream): boolean {
  if (!aborted && rstCode === constants.NGHTTP2_NO_ERROR) return false;
  // One that we have cut has the error that it was cut with.
  return errored === null || (errored as { readonly code?: string }).code === 'ERR_HTTP2_STREAM_ERROR';
}
