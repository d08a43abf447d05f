/**
 * What a stream has to send, and may not yet: the client's window is shut, or its connection is full.
 *
 * It is copied into memory that is used again. What waits must not keep much more memory than it has octets: with the two sizes that is
 * sixteen times as much at the most, and little.
 */
import { giveBack, takeMemory } from './body-memory.js';

interface Part {
  readonly memory: Buffer;
  /** It is of `takeMemory`. */
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
      giveBackPart(part);
    }
  }

  /** Forgets all. */
  clear(): void {
    for (const part of this.#parts) giveBackPart(part);
    this.#parts = [];
    this.#bytes = 0;
  }

  #copy(chunk: Buffer): void {
    for (let at = 0; at < chunk.length;) {
      let last = this.#parts.at(-1);
      if (last === undefined || !last.isSpare || last.end === last.memory.length) {
        last = { memory: takeMemory(chunk.length - at), isSpare: true, start: 0, end: 0 };
        this.#parts.push(last);
      }
      const copied = chunk.copy(last.memory, last.end, at);
      last.end += copied;
      at += copied;
    }
  }
}

function giveBackPart({ memory, isSpare }: Part): void {
  if (isSpare) giveBack(memory);
}
