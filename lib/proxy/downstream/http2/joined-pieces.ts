/**
 * The pieces of a body, joined: what has come in one turn of the event loop is passed on together, for each piece would be a write for the
 * backend.
 *
 * They are gathered in memory that is used again.
 */
import { NextTurn } from '../next-turn.js';
import type { RequestBody } from '../request-body.js';
import { giveBack, LARGE_BYTES, takeMemory } from './body-memory.js';

/** So much is passed on together. */
const JOINED_BYTES = LARGE_BYTES;
/** Memory of pieces that are needed still, by piece. Of those that nobody frees it is the collector's. */
const LENT = new WeakMap<Buffer, Buffer>();

const turn = new NextTurn<JoinedPieces>((pieces) => pieces.onTurn());

export class JoinedPieces {
  readonly #body: RequestBody;
  readonly #onPassed: () => void;
  /** There only while something waits in it. */
  #memory: Buffer | undefined;
  #bytes = 0;
  #isPutOff = false;

  /** @param onPassed told when the body has got some: it may be waiting there. */
  constructor(body: RequestBody, onPassed: () => void) {
    this.#body = body;
    this.#onPassed = onPassed;
  }

  /** @param piece of a frame at the most; overwritten afterwards. */
  add(piece: Buffer): void {
    const memory = this.#roomFor(piece.length);
    this.#bytes += piece.copy(memory, this.#bytes);
    if (this.#isPutOff) return;
    this.#isPutOff = true;
    turn.add(this);
  }

  /** Passes on what waits: the body ends. */
  flush(): void {
    const memory = this.#memory;
    const bytes = this.#bytes;
    if (memory === undefined) return;
    this.#memory = undefined;
    this.#bytes = 0;
    const piece = memory.subarray(0, bytes);
    // What waits must not keep much more memory than it has octets.
    const isLarge = bytes >= (this.#body.isTaken ? JOINED_BYTES / 4 : JOINED_BYTES / 2);
    const isKept = this.#body.push(isLarge ? piece : Buffer.from(piece));
    if (!isLarge || !isKept) giveBack(memory);
    else LENT.set(piece, memory);
    this.#onPassed();
  }

  /** A piece that was passed on is needed no more. */
  free(piece: Buffer): void {
    const memory = LENT.get(piece);
    if (memory !== undefined && LENT.delete(piece)) giveBack(memory);
  }

  /** The stream is over: what waits is dropped. */
  drop(): void {
    if (this.#memory !== undefined) giveBack(this.#memory);
    this.#memory = undefined;
    this.#bytes = 0;
  }

  onTurn(): void {
    this.#isPutOff = false;
    this.flush();
  }

  #roomFor(bytes: number): Buffer {
    const all = this.#bytes + bytes;
    if (all > JOINED_BYTES) this.flush();
    const memory = this.#memory;
    if (memory !== undefined && this.#bytes + bytes <= memory.length) return memory;
    const larger = takeMemory(all);
    if (memory !== undefined) {
      memory.copy(larger, 0, 0, this.#bytes);
      giveBack(memory);
    }
    this.#memory = larger;
    return larger;
  }
}
