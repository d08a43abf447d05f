/**
 * What a client's frames cost us for nothing, paid for out of its budget as they come.
 *
 * Beside heads and bodies a client may send a share of what it is sent and of what its bodies have: WINDOW_UPDATE, PING of a keep-alive,
 * padding. Beyond that each octet is paid for.
 */
import { AbuseBudget, type AbuseCounts, type AbuseKind } from '../abuse-budget.js';
import { FRAME_HEAD_BYTES, FrameType } from '../../http2/frames.js';
import type { DecodedBlock } from '../../http2/hpack/decoder.js';

/** Of what bodies have, both ways, so much may come beside them. */
const SHARE = 1 / 16;
/** What goes with a request beside its fields: priorities, the first windows, an RST_STREAM. */
const REQUEST_BYTES = 100;
/** The most that may be saved up for what is still to come. */
const SAVED_BYTES = 1_048_576;
/** A piece of a body from here on costs what bodies cost. 5 bytes are the smallest message of gRPC. */
const SMALL_BYTES = 8;
const FREE_LIST_BYTES = 4_096;

export class FrameMeter {
  readonly #budget: AbuseBudget;
  readonly #now: () => number;
  /** What may come for nothing. */
  #allowanceBytes = SAVED_BYTES / 16;

  /** @param now milliseconds from any origin. */
  constructor(now: () => number) {
    this.#now = now;
    this.#budget = new AbuseBudget(now());
  }

  /** What was paid for. */
  get counts(): AbuseCounts {
    return this.#budget.counts;
  }

  /** A frame has come. @returns whether the client is within its budget, as all of these do. */
  onFrame(type: number, payloadBytes: number): boolean {
    switch (type) {
      case FrameType.data:
      case FrameType.headers:
        return true;
      case FrameType.ping:
        return this.#pay('ping');
      case FrameType.settings:
        return this.#pay('settings');
      default:
        return this.#overhead(FRAME_HEAD_BYTES + payloadBytes);
    }
  }

  /** The head of a request, or trailers. */
  onBlock({ listBytes, emptyNames }: DecodedBlock, blockBytes: number): boolean {
    this.#allow(REQUEST_BYTES);
    const excess = Math.max(0, listBytes - FREE_LIST_BYTES) + Math.max(0, blockBytes - FREE_LIST_BYTES);
    if (excess > 0 && !this.#pay('headKib', excess / 1_024)) return false;
    return emptyNames === 0 || this.#overhead(emptyNames * EMPTY_NAME_BYTES);
  }

  onRefusedHead(): boolean {
    return this.#pay('refusedHead');
  }

  /**
   * DATA has ended.
   *
   * @param bytes without its padding.
   * @param isOfTunnel a chat's messages are small, and cost no more than on HTTP/1.1.
   */
  onData(bytes: number, paddingBytes: number, isLast: boolean, isOfTunnel = false): boolean {
    this.#allow(bytes * SHARE);
    if (paddingBytes > 0 && !this.#overhead(paddingBytes)) return false;
    if (bytes === 0) return isLast || this.#overhead(EMPTY_DATA_BYTES);
    return bytes >= SMALL_BYTES || isLast || isOfTunnel || this.#pay('missingByte', SMALL_BYTES - bytes);
  }

  /** A stream has ended before its response: reset by the client, or for what the client has sent. */
  onReset(): boolean {
    return this.#pay('reset');
  }

  /** So much of bodies has been sent. */
  onSent(bytes: number): void {
    this.#allow(bytes * SHARE);
  }

  #allow(bytes: number): void {
    this.#allowanceBytes = Math.min(SAVED_BYTES, this.#allowanceBytes + bytes);
  }

  #overhead(bytes: number): boolean {
    const free = Math.min(bytes, this.#allowanceBytes);
    this.#allowanceBytes -= free;
    return free === bytes || this.#pay('overheadByte', bytes - free);
  }

  #pay(kind: AbuseKind, count = 1): boolean {
    return this.#budget.pay(kind, count, this.#now());
  }
}

/** What a field without a name, and an empty DATA, are reckoned at. */
const EMPTY_NAME_BYTES = 32;
const EMPTY_DATA_BYTES = 64;
