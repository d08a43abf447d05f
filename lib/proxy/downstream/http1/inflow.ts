/**
 * The memory that clients' HTTP/1.1 connections are read into.
 *
 * All connections share one buffer: Node would allocate 16 KiB for every record. While a client sends one full record after the
 * other, its connection reads into memory of its own, and what comes together is passed on together: it need not be copied,
 * and costs one write instead of four.
 */
const SHARED_BYTES = 65_536;
/** The most that a TLS record holds. */
const RECORD_BYTES = 16_384;
/** So much is passed on together. */
const BATCH_BYTES = 4 * RECORD_BYTES;
/** Shared only where a read is one step. On Windows it is begun with a buffer and ended some time later. */
const SHARED = process.platform === 'win32' ? undefined : Buffer.allocUnsafeSlow(SHARED_BYTES);

export interface InflowListener {
  /** Whether it may wait a moment for more: a body is being read. */
  readonly mayWait: boolean;
  /**
   * @param isShared the bytes are overwritten by the next read of any connection: what is kept of them must be copied.
   * @returns whether the bytes are still needed: else their memory is used again.
   */
  onBytes(bytes: Buffer, isShared: boolean): boolean;
}

export class Inflow {
  readonly #listener: InflowListener;
  /** Memory of its own: what is before `#start` has been passed on, what is before `#end` waits. */
  #own: Buffer | undefined;
  #start = 0;
  #end = 0;
  #isFlushing = false;

  constructor(listener: InflowListener) {
    this.#listener = listener;
  }

  /** Where the next piece goes. */
  buffer(): Buffer {
    const own = this.#own;
    if (own === undefined) return SHARED ?? Buffer.allocUnsafeSlow(SHARED_BYTES);
    return own.subarray(this.#end);
  }

  /** A piece has come into what `buffer` returned last. */
  onRead(bytes: Buffer): void {
    const isFull = bytes.length >= RECORD_BYTES && this.#listener.mayWait;
    const own = this.#own;
    if (own === undefined || bytes.buffer !== own.buffer) {
      this.flush();
      if (isFull) this.#own ??= Buffer.allocUnsafeSlow(BATCH_BYTES);
      this.#listener.onBytes(bytes, bytes.buffer === SHARED?.buffer);
      return;
    }
    // The memory may have been told for this read before what is in it was passed on.
    if (this.#start === this.#end) this.#start = this.#end = bytes.byteOffset - own.byteOffset;
    this.#end += bytes.length;
    if (isFull && this.#end + RECORD_BYTES <= BATCH_BYTES) {
      this.#flushSoon();
      return;
    }
    this.flush();
    // After a small piece it goes on in the shared memory.
    if (!isFull) this.#own = undefined;
  }

  /** Passes on what waits. */
  flush(): void {
    const own = this.#own;
    if (own === undefined || this.#start === this.#end) return;
    const bytes = own.subarray(this.#start, this.#end);
    const isKept = this.#listener.onBytes(bytes, false);
    if (isKept) this.#own = Buffer.allocUnsafeSlow(BATCH_BYTES);
    this.#start = this.#end = 0;
  }

  onImmediate(): void {
    this.#isFlushing = false;
    this.flush();
  }

  /** Passes it on after the records that have come together are read. */
  #flushSoon(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    setImmediate(flushNow, this);
  }
}

function flushNow(inflow: Inflow): void {
  inflow.onImmediate();
}
