/**
 * Finds the end of a head on HTTP/1.1, fed with pieces of any size. PURE.
 */
import { MalformedMessage } from './malformed.js';

const FIRST_PENDING_BYTES = 4_096;
const END_OF_HEAD = '\r\n\r\n';
const HTAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const DELETE = 0x7f;

export class HeadReader {
  /** The head, once it is whole: one character for each octet (latin1), to the CRLF of its last line; without the empty line. */
  text = '';
  readonly #maxBytes: number;
  /** The beginning of a head that comes in several pieces. */
  #pending: Buffer | undefined;
  #pendingBytes = 0;

  /** @param maxBytes of the longest head, without its empty line. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** A part of the head has come. */
  get hasBegun(): boolean {
    return this.#pendingBytes > 0;
  }

  /** The part of the head that has come, as long as it is not whole; as `text`. */
  get beginning(): string {
    return this.#pending?.toString('latin1', 0, this.#pendingBytes) ?? '';
  }

  /** Forgets the part of a head that has come. */
  reset(): void {
    this.#pending = undefined;
    this.#pendingBytes = 0;
  }

  /**
   * Reads on.
   *
   * @returns where the head has ended, behind its empty line; -1: it is not whole, and all has been taken.
   * @throws MalformedMessage it is too long, or what has come of it cannot become valid.
   */
  read(bytes: Buffer, start: number): number {
    if (this.#pending === undefined) {
      const end = bytes.indexOf(END_OF_HEAD, start, 'latin1');
      if (end !== -1) {
        this.#check(end - start);
        this.text = bytes.toString('latin1', start, end + 2);
        return end + END_OF_HEAD.length;
      }
    }
    return this.#readPart(bytes, start);
  }

  #readPart(bytes: Buffer, start: number): number {
    const before = this.#pendingBytes;
    const part = bytes.subarray(start, start + this.#maxBytes + END_OF_HEAD.length - before);
    const bytesNeeded = before + part.length;
    if (this.#pending === undefined || this.#pending.length < bytesNeeded) {
      const larger = Buffer.allocUnsafe(Math.max(FIRST_PENDING_BYTES, 2 * bytesNeeded));
      this.#pending?.copy(larger, 0, 0, before);
      this.#pending = larger;
    }
    const pending = this.#pending;
    part.copy(pending, before);
    this.#pendingBytes = bytesNeeded;
    const end = pending
      .subarray(0, bytesNeeded)
      .indexOf(END_OF_HEAD, Math.max(0, before - END_OF_HEAD.length + 1), 'latin1');
    refuseControls(pending, before, end === -1 ? bytesNeeded : end);
    if (end === -1) {
      // The last of it may be the beginning of its end.
      this.#check(bytesNeeded - (END_OF_HEAD.length - 1));
      return -1;
    }
    this.text = pending.toString('latin1', 0, end + 2);
    this.reset();
    return start + end + END_OF_HEAD.length - before;
  }

  #check(bytes: number): void {
    if (bytes > this.#maxBytes) throw new MalformedMessage('the head is too long', 'head');
  }
}

/** Refuses a head before its end where it holds what no valid one does: other control characters than a tab, and LF without its CR. */
function refuseControls(bytes: Uint8Array, start: number, end: number): void {
  for (let at = start; at < end; at += 1) {
    const code = bytes[at] ?? 0;
    if (code >= SPACE && code !== DELETE) continue;
    if (code === LF) {
      if (bytes[at - 1] !== CR) throw new MalformedMessage('a line of the head does not end with CRLF');
    } else if (code !== CR && code !== HTAB) {
      throw new MalformedMessage('a control character in the head');
    }
  }
}
