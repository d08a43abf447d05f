/**
 * The streams of a connection: those that are open, which ids there were, and whose turn it is to send.
 */
import type { Http2Stream } from './stream.js';

/** Streams that we have reset are remembered: what the client had sent before it heard of that is ignored (RFC 9113 §5.1). */
const MAX_REMEMBERED_RESETS = 256;

export class StreamTable {
  readonly #open = new Map<number, Http2Stream>();
  /** Those with something that could not be sent, in their turns. */
  readonly #waiting = new Set<Http2Stream>();
  readonly #wasReset = new Set<number>();
  #isPumping = false;
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
    this.#waiting.delete(stream);
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

  /** Those that wait, and of whose responses, which have ended, the client has taken nothing in the last so many looks. */
  stalled(looks: number): Http2Stream[] {
    return [...this.#waiting].filter((stream) => stream.look(looks));
  }

  /** It has something that could not be sent. */
  wait(stream: Http2Stream): void {
    this.#waiting.add(stream);
  }

  /**
   * Lets streams send what waits, a frame each in turns.
   *
   * @param maySend whether the connection takes more.
   */
  pump(maySend: () => boolean): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    let hasSent = true;
    while (hasSent && this.#waiting.size > 0 && maySend()) {
      hasSent = false;
      for (const stream of [...this.#waiting]) {
        if (!maySend()) break;
        const waitingBytes = stream.waitingBytes;
        stream.sendSome();
        if (stream.waitingBytes < waitingBytes) hasSent = true;
        if (stream.waitingBytes === 0) this.#waiting.delete(stream);
      }
    }
    this.#isPumping = false;
  }
}
