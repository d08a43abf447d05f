/**
 * What goes out on a connection of HTTP/2: frames are joined, and while one write is under way the next is gathered.
 *
 * What several streams write in a turn of the event loop goes out at its end, in one write: their answers cost one record. What one
 * stream writes goes out as soon as who has written is done: nobody else is there to wait for.
 */
import type { ClientSocket } from '../../../net/client-socket.js';
import { SpareMemory } from '../../../net/spare-memory.js';
import { isEncrypting, isIdle } from '../../../net/writes-at-once.js';
import { writeFrameHead } from '../../http2/frame-writer.js';
import { Flag, FRAME_HEAD_BYTES, FrameType } from '../../http2/frames.js';

/** Four TLS records. */
const MEMORY = new SpareMemory(65_536, 4 * 1024 ** 2);
/** With its head it fills a TLS record. */
const MAX_DATA_BYTES = 16_384 - FRAME_HEAD_BYTES;
/** Less than that is not worth a frame while there is more. */
const MIN_DATA_BYTES = 1_024;
/** With so much that is not out yet streams wait with theirs. */
const MAX_UNSENT_BYTES = 262_144;

interface Gathered {
  readonly memory: Buffer;
  /** So much of it goes out. */
  readonly bytes: number;
}

export class Output {
  readonly #socket: ClientSocket;
  readonly #isOfOneStream: () => boolean;
  readonly #onRoom: () => void;
  /** Is written into, from `#from` to `#at`. */
  #memory: Buffer | undefined;
  #at = 0;
  /** Those before it, each as far as it is full. */
  #full: Gathered[] = [];
  #waitingBytes = 0;
  #flightBytes = 0;
  #isFlushing = false;
  #isEnding = false;
  /** Where the last frame begins, if that is DATA. */
  #lastDataAt = -1;
  #lastDataStreamId = 0;

  /**
   * @param isOfOneStream one stream is open, and writes alone.
   * @param onRoom told when something has gone out.
   */
  constructor(socket: ClientSocket, isOfOneStream: () => boolean, onRoom: () => void) {
    this.#socket = socket;
    this.#isOfOneStream = isOfOneStream;
    this.#onRoom = onRoom;
  }

  /** Streams wait with what they have. */
  get isFull(): boolean {
    return this.#waitingBytes + this.#flightBytes >= MAX_UNSENT_BYTES;
  }

  /** So much is not out yet that the client should ask for no more. */
  get isFlooded(): boolean {
    return this.unsentBytes >= 2 * MAX_UNSENT_BYTES;
  }

  /** What is not out yet. */
  get unsentBytes(): number {
    return this.#waitingBytes + this.#flightBytes;
  }

  /** What a DATA frame should hold that comes next: memory is filled, so that records are. */
  get dataBytes(): number {
    const room = this.#memory === undefined ? MAX_DATA_BYTES : MEMORY.bytes - this.#at - FRAME_HEAD_BYTES;
    return room < MIN_DATA_BYTES ? MAX_DATA_BYTES : Math.min(room, MAX_DATA_BYTES);
  }

  /** A frame, whole. */
  push(frame: Buffer): void {
    const memory = this.#roomFor(frame.length);
    frame.copy(memory, this.#at);
    this.#took(frame.length);
  }

  /**
   * A frame whose payload the caller writes, at once.
   *
   * @returns the memory, and where in it the payload begins.
   */
  frame(type: number, flags: number, streamId: number, payloadBytes: number): { memory: Buffer; at: number } {
    const memory = this.#roomFor(FRAME_HEAD_BYTES + payloadBytes);
    const frameAt = this.#at;
    const at = writeFrameHead(memory, frameAt, payloadBytes, type, flags, streamId);
    this.#took(FRAME_HEAD_BYTES + payloadBytes);
    if (type === FrameType.data) {
      this.#lastDataAt = frameAt;
      this.#lastDataStreamId = streamId;
    }
    return { memory, at };
  }

  /** Makes the last frame the last of its stream. @returns false where the last one is not its DATA, or out already. */
  endStream(streamId: number): boolean {
    if (this.#lastDataAt < 0 || this.#lastDataStreamId !== streamId || this.#memory === undefined)
      return false;
    const flagsAt = this.#lastDataAt + 4;
    this.#memory[flagsAt] = (this.#memory[flagsAt] ?? 0) | Flag.endStream;
    return true;
  }

  /** Sends what waits now. */
  flush(): void {
    if (this.#flightBytes > 0) return;
    if (this.#waitingBytes === 0) {
      if (this.#isEnding && this.#socket.writable) this.#socket.end();
      return;
    }
    const { memory, bytes } = this.#full.shift() ?? this.#takeLast();
    this.#flightBytes = bytes;
    this.#waitingBytes -= bytes;
    this.#write(memory, bytes);
  }

  /** Ends our side once all is out. */
  end(): void {
    this.#isEnding = true;
    this.flush();
  }

  /** Each memory goes out by itself: Node would copy several of them into new memory. */
  #write(memory: Buffer, bytes: number): void {
    const socket = this.#socket;
    if (!socket.writable) return;
    const isTakenAtOnce = isEncrypting(socket) && isIdle(socket);
    socket.write(memory.subarray(0, bytes), (error) => {
      // `close` follows.
      if (error) return;
      if (!isTakenAtOnce) MEMORY.giveBack(memory);
      this.#flightBytes = 0;
      this.#onRoom();
      this.flush();
    });
    if (isTakenAtOnce) MEMORY.giveBack(memory);
  }

  #takeLast(): Gathered {
    const last = { memory: this.#memory ?? MEMORY.take(), bytes: this.#at };
    this.#memory = undefined;
    this.#at = 0;
    this.#lastDataAt = -1;
    return last;
  }

  /** Memory with room for so many bytes, at `#at`. */
  #roomFor(bytes: number): Buffer {
    if (this.#memory !== undefined && this.#at + bytes > this.#memory.length) {
      this.#full.push({ memory: this.#memory, bytes: this.#at });
      this.#memory = undefined;
      this.#at = 0;
      this.flush();
    }
    this.#memory ??= MEMORY.take();
    return this.#memory;
  }

  #took(bytes: number): void {
    this.#at += bytes;
    this.#waitingBytes += bytes;
    this.#lastDataAt = -1;
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    if (this.#isOfOneStream()) process.nextTick(flushOutput, this);
    else setImmediate(flushOutput, this);
  }

  /** For `setImmediate` and `process.nextTick`. */
  onTurn(): void {
    this.#isFlushing = false;
    this.flush();
  }
}

function flushOutput(output: Output): void {
  output.onTurn();
}
