/**
 * The streams of a connection: those that are open, and which ids there were.
 */
import type { Http2Stream } from './stream.js';

/** Streams that we have reset are remembered: what the client had sent before it heard of that is ignored (RFC 9113 §5.1). */
const MAX_REMEMBERED_RESETS = 256;

export class StreamTable {
  readonly #open = new Map<number, Http2Stream>();
  readonly #wasReset = new Set<number>();
  /** Of the client's, the one that it has opened last. */
  lastId = 0;

  get size(): number {
    return this.#open.size;
  }

  get(id: number): Http2Stream | undefined {
    return this.#open.get(id);
  }

  /** Those that are open now: a copy. */
  all(): Http2Stream[] {
    return [...this.#open.values()];
  }

  add(stream: Http2Stream): void {
    this.#open.set(stream.id, stream);
  }

  delete(stream: Http2Stream): void {
    this.#open.delete(stream.id);
  }

  /** Whether the client has not opened it, be it as it was not its turn or as the number is not the client's. */
  isIdle(id: number): boolean {
    return id > this.lastId || id % 2 === 0;
  }

  rememberReset(id: number): void {
    this.#wasReset.add(id);
    if (this.#wasReset.size <= MAX_REMEMBERED_RESETS) return;
    const [oldest = 0] = this.#wasReset;
    this.#wasReset.delete(oldest);
  }

  wasReset(id: number): boolean {
    return this.#wasReset.has(id);
  }
}
