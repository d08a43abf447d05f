/**
 * What a `TlsStream` reads: into memory of whoever has taken its reads over, else in pieces that wait until they are wanted.
 */
import type { NativeTls, TlsHandle } from './native-tls.js';
import type { SocketReader } from './socket-reader.js';

/** With so much read that nobody wants yet, no more is read. */
const HIGH_WATER_BYTES = 65_536;

export interface TlsReaderOwner {
  /** A piece has come, where nobody has taken the reads over. */
  onData(piece: Buffer): void;
  /** The other side has ended, and everything before that was taken. */
  onEnd(): void;
}

export class TlsReader {
  /** What has come, in bytes. */
  totalBytes = 0;
  /** What nobody has taken yet, in bytes. */
  waitingBytes = 0;
  /** `onEnd` was called. */
  hasEnded = false;
  readonly #native: NativeTls;
  readonly #owner: TlsReaderOwner;
  /** Null: the connection is closed. */
  #handle: TlsHandle | null;
  #reader: SocketReader | undefined;
  /** Where the next piece goes. */
  #buffer: Buffer | undefined;
  /** What came before anybody wanted it. */
  #early: Buffer[] | undefined;
  #flow: 'not asked for' | 'flowing' | 'paused' = 'not asked for';
  #isReading = true;
  #hasEof = false;

  /** @param handle is reading already. */
  constructor(native: NativeTls, handle: TlsHandle | null, owner: TlsReaderOwner) {
    this.#native = native;
    this.#handle = handle;
    this.#owner = owner;
  }

  get isPaused(): boolean {
    return this.#flow === 'paused';
  }

  /** Hands everything over from now on. What has come before is to be taken with `read` first. */
  readInto(reader: SocketReader): void {
    this.#reader = reader;
    this.#buffer = reader.buffer();
    this.#handle?.useUserBuffer(this.#buffer);
  }

  /** The first of the pieces that wait; null: none does. */
  read(): Buffer | null {
    const piece = this.#early?.shift();
    if (piece === undefined) return null;
    this.waitingBytes -= piece.length;
    if (this.#early?.length === 0) {
      this.#early = undefined;
      process.nextTick(flowOn, this);
    }
    return piece;
  }

  pause(): void {
    this.#flow = 'paused';
    this.#stopReading();
  }

  resume(): void {
    this.#flow = 'flowing';
    if (this.#early === undefined) this.#startReading();
    else process.nextTick(flowOn, this);
  }

  /** The connection is closed. */
  giveUp(): void {
    this.#handle = null;
    this.#reader = undefined;
    this.#early = undefined;
  }

  /** Goes on with what was read early, and then with what comes. */
  flowOn(): void {
    while (this.#flow === 'flowing' && this.#early !== undefined && this.#handle !== null) {
      const piece = this.read();
      if (piece !== null) this.#owner.onData(piece);
    }
    if (this.#early !== undefined || this.#handle === null) return;
    if (this.#hasEof) this.#end();
    else if (this.#flow !== 'paused') this.#startReading();
  }

  // --- from the handle

  /**
   * @param count so many bytes have come.
   * @param bytes where they are; undefined: in the reader's buffer.
   * @returns where the next piece goes; undefined: where this one went.
   */
  onRead(count: number, bytes: ArrayBuffer | undefined): Buffer | undefined {
    this.totalBytes += count;
    const reader = this.#reader;
    const buffer = this.#buffer;
    if (reader !== undefined && buffer !== undefined) {
      reader.onRead(buffer.subarray(0, count));
      // Another reader has said already where its first piece goes.
      if (buffer !== this.#buffer) return undefined;
      // Also when the connection is closed now: what OpenSSL still has goes there, not over what the reader may keep.
      this.#buffer = reader.buffer();
      return this.#buffer;
    }
    if (bytes !== undefined) this.#take(Buffer.from(bytes, this.#native.readOffset, count));
    return undefined;
  }

  onEof(): void {
    this.#hasEof = true;
    this.#isReading = false;
    if (this.#early === undefined) this.#end();
  }

  // ---

  #take(piece: Buffer): void {
    if (this.#flow === 'flowing' && this.#early === undefined) {
      this.#owner.onData(piece);
      return;
    }
    (this.#early ??= []).push(piece);
    this.waitingBytes += piece.length;
    if (this.waitingBytes >= HIGH_WATER_BYTES) this.#stopReading();
  }

  #end(): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.#owner.onEnd();
  }

  #startReading(): void {
    if (this.#isReading || this.#hasEof || this.#handle === null) return;
    this.#isReading = true;
    this.#handle.readStart();
  }

  #stopReading(): void {
    if (!this.#isReading || this.#handle === null) return;
    this.#isReading = false;
    this.#handle.readStop();
  }
}

function flowOn(reader: TlsReader): void {
  reader.flowOn();
}
