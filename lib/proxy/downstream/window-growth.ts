/**
 * How large the receive windows of an HTTP/2 connection should be: what arrives in a round trip decides. PURE.
 *
 * A sender that fills half a window within one round trip is held up by it, or soon will be. The window is then four times as large
 * rather than twice: a body of 8 MB over a line of 100 ms would be sent before it had been doubled often enough.
 */
export interface GrowthLimits {
  /** The window to begin with. */
  readonly startBytes: number;
  readonly limitBytes: number;
}

const FACTOR = 4;

export class WindowGrowth {
  readonly #limitBytes: number;
  #windowBytes: number;
  /** Of the line; undefined as long as it is not known. */
  #roundTripMs: number | undefined;
  /** When the round trip that is looked at began. */
  #sinceMs = -Infinity;
  #bytes = 0;

  constructor({ startBytes, limitBytes }: GrowthLimits) {
    this.#windowBytes = startBytes;
    this.#limitBytes = limitBytes;
  }

  /** Whether the window may still become larger. */
  get isPossible(): boolean {
    return this.#windowBytes < this.#limitBytes;
  }

  /** How long the client took to answer. The shortest time counts: the others were spent on waiting. */
  onRoundTrip(durationMs: number): void {
    this.#roundTripMs = Math.min(this.#roundTripMs ?? Infinity, durationMs);
  }

  /**
   * Bytes of bodies have come and were taken, since the last call.
   *
   * @returns the window to be had from now on, where it is another one than before, in bytes.
   */
  onTaken(bytes: number, nowMs: number): number | undefined {
    if (this.#roundTripMs === undefined || !this.isPossible) return undefined;
    if (nowMs - this.#sinceMs > this.#roundTripMs) {
      this.#sinceMs = nowMs;
      this.#bytes = 0;
    }
    this.#bytes += bytes;
    if (this.#bytes < this.#windowBytes / 2) return undefined;
    this.#windowBytes = Math.min(this.#windowBytes * FACTOR, this.#limitBytes);
    this.#sinceMs = -Infinity;
    return this.#windowBytes;
  }
}
