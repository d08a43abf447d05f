/**
 * How much an HTTP/2 client may make us do for nothing. PURE.
 *
 * One bucket a connection, out of which every kind of work is paid by what it costs us about, in microseconds of a CPU: a client that
 * mixes kinds has no more of it. It is refilled with time. What requests cost is not paid for here: they are what a client
 * is there for.
 *
 * What clients do that mean well, and what that comes to: a browser that leaves a page cancels 100 requests (a quarter of the bucket,
 * refilled in 2.5 s); gRPC sends 20,000 messages of 5 bytes a second (three fifths of the refill), and a PING a round trip; a download
 * is acknowledged with two WINDOW_UPDATE for each DATA of 16 KiB (nothing: `http2-session-meter.ts` sets it off).
 */
const REFILL_PER_SECOND = 50_000;
const BURST = 500_000;

/** The prices. */
const PRICES = {
  /**
   * A stream that has ended before its response: reset by the client, or by us for what the client has sent on it (CVE-2023-44487,
   * CVE-2025-8671). A backend has begun with its request for nothing. 400 at once, 40 a second.
   */
  reset: 1_250,
  /** Answered with another. */
  ping: 20,
  /** Acknowledged with another. */
  settings: 40,
  /** A head above our limits, answered 431. 1,000 at once, 100 a second. */
  refusedHead: 500,
  /** Each KiB of a head above the first four. A table of fields makes it out of a few bytes. */
  headKib: 4,
  /** Each byte by which a piece of a body is smaller than 8, the price of a frame being what it is. */
  missingByte: 0.5,
  /**
   * A byte that belonged to neither heads nor bodies: frames of control (WINDOW_UPDATE, PRIORITY, PING, SETTINGS), empty ones, padding,
   * heads that nghttp2 refuses by itself. 20,000 WINDOW_UPDATE a second.
   */
  overheadByte: 0.2,
} as const;

export type AbuseKind = keyof typeof PRICES;

/** How many of each kind there were. */
export type AbuseCounts = Readonly<Partial<Record<AbuseKind, number>>>;

export class AbuseBudget {
  #left = BURST;
  #refilledAtMs: number;
  readonly #counts: Partial<Record<AbuseKind, number>> = {};

  constructor(nowMs: number) {
    this.#refilledAtMs = nowMs;
  }

  /** How many of each kind were paid for. */
  get counts(): AbuseCounts {
    return this.#counts;
  }

  /** @returns whether the client is within its budget. */
  pay(kind: AbuseKind, count: number, nowMs: number): boolean {
    const refill = ((nowMs - this.#refilledAtMs) / 1_000) * REFILL_PER_SECOND;
    this.#left = Math.min(BURST, this.#left + refill) - PRICES[kind] * count;
    this.#refilledAtMs = nowMs;
    this.#counts[kind] = Math.round((this.#counts[kind] ?? 0) + count);
    return this.#left >= 0;
  }
}
