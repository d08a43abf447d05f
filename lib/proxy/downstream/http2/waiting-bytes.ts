/**
 * What a stream has to send, and may not yet: the client's window is shut, or its connection is full.
 *
 * It is copied into memory that is used again: new memory would be outside V8's heap, where every 64 MiB of it start a collection of the
 * whole heap.
 */
import { SpareMemory } from '../../../net/spare-memory.js';

const MAX_SPARE_BYTES = 4 * 1024 ** 2;
/** What waits must not keep much more memory than it has octets: four times as much at the most, and little. */
const LARGE = new SpareMemory(65_536, MAX_SPARE_BYTES);
const SMALL = new SpareMemory(4_096, MAX_SPARE_BYTES / 4);

interface Part {
  readonly memory: Buffer;
  /** It is of `LARGE` or `SMALL`. */
  readonly isSpare: boolean;
  start: number;
  end: number;
}

export class WaitingBytes {
  #parts: Part[] = [];
  #bytes = 0;

  /** How many there are. */
  get length(): number {
    return this.#bytes;
  }

  /** @param isShared the chunk is overwritten afterwards. */
  add(chunk: Buffer, isShared: boolean): void {
    this.#bytes += chunk.length;
    if (isShared) this.#copy(chunk);
    else this.#parts.push({ memory: chunk, isSpare: false, start: 0, end: chunk.length });
  }

  /** Moves the first so many, of which there are at least as many. @param at where in the target. */
  moveTo(target: Buffer, at: number, count: number): void {
    this.#bytes -= count;
    let to = at;
    const end = at + count;
    while (to < end) {
      const part = this.#parts[0];
      if (part === undefined) throw new RangeError('there is not so much that waits');
      const copied = part.memory.copy(target, to, part.start, Math.min(part.end, part.start + end - to));
      to += copied;
      part.start += copied;
      if (part.start < part.end) break;
      this.#parts.shift();
      giveBack(part);
    }
  }

  /** Forgets all. */
  clear(): void {
    for (const part of this.#parts) giveBack(part);
    this.#parts = [];
    this.#bytes = 0;
  }

  #copy(chunk: Buffer): void {
    for (let at = 0; at < chunk.length;) {
      let last = this.#parts.at(-1);
      if (last === undefined || !last.isSpare || last.end === last.memory.length) {
        const spare = chunk.length - at > SMALL.bytes ? LARGE : SMALL;
        last = { memory: spare.take(), isSpare: true, start: 0, end: 0 };
        this.#parts.push(last);
      }
      const copied = chunk.copy(last.memory, last.end, at);
      last.end += copied;
      at += copied;
    }
  }
}

function giveBack({ memory, isSpare }: Part): void {
  if (isSpare) (memory.length === SMALL.bytes ? SMALL : LARGE).giveBack(memory);
}
