/**
 * Streams with something that could not be sent, and whose turn it is when more can be: by their urgency (RFC 9218 §10).
 *
 * Of the same urgency those that are incremental send a frame each in turns; of the others the one that was opened first takes part, until it
 * has nothing more or its window is shut.
 */
import { URGENCIES, type Priority } from '../../http2/priority.js';
import type { Http2Stream } from './stream.js';

export class SendTurns {
  readonly #waiting = Array.from({ length: URGENCIES }, () => new Set<Http2Stream>());
  #isPumping = false;
  /** The urgency whose streams send. */
  #at = 0;

  /** It has something that could not be sent. */
  wait(stream: Http2Stream): void {
    const { urgency } = stream.priority;
    this.#of(urgency).add(stream);
    if (urgency < this.#at) this.#at = urgency;
  }

  /** It has nothing more, or is over. */
  delete(stream: Http2Stream): void {
    this.#of(stream.priority.urgency).delete(stream);
  }

  /** Gives a stream another priority. */
  change(stream: Http2Stream, priority: Priority): void {
    const isWaiting = this.#of(stream.priority.urgency).delete(stream);
    stream.priority = priority;
    if (isWaiting) this.wait(stream);
  }

  /** Those of whose responses, which have ended, the client has taken nothing in the last so many looks. */
  stalled(looks: number): Http2Stream[] {
    return this.#waiting.flatMap((streams) => [...streams].filter((stream) => stream.look(looks)));
  }

  /**
   * Lets streams send.
   *
   * @param maySend whether the connection takes more.
   */
  pump(maySend: () => boolean): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    this.#at = 0;
    while (this.#at < URGENCIES && maySend()) {
      const urgency = this.#at;
      const hasSent = this.#round(this.#of(urgency), maySend);
      // While they sent, one that is more urgent may have got something.
      if (!hasSent && this.#at === urgency) this.#at += 1;
    }
    this.#isPumping = false;
  }

  /** @returns whether any has sent something. */
  #round(streams: Set<Http2Stream>, maySend: () => boolean): boolean {
    if (streams.size === 0) return false;
    let hasSent = false;
    let isFirstServed = false;
    for (const stream of inTurns(streams)) {
      if (!maySend()) break;
      const { isIncremental } = stream.priority;
      if (isFirstServed && !isIncremental) continue;
      const bytes = stream.sendSome();
      if (stream.waitingBytes === 0) streams.delete(stream);
      if (bytes === 0) continue;
      hasSent = true;
      if (!isIncremental) isFirstServed = true;
      // Behind the others, should there be no room for all of them.
      else if (streams.delete(stream)) streams.add(stream);
    }
    return hasSent;
  }

  #of(urgency: number): Set<Http2Stream> {
    const streams = this.#waiting[urgency];
    if (streams === undefined) throw new RangeError(`there is no urgency ${urgency}`);
    return streams;
  }
}

/** The incremental ones as they have waited, the others as they were opened; a copy. */
function inTurns(streams: ReadonlySet<Http2Stream>): Http2Stream[] {
  const list = [...streams];
  const ordered = list.filter(({ priority }) => !priority.isIncremental).sort((a, b) => a.id - b.id);
  if (ordered.length < 2) return list;
  return [...ordered, ...list.filter(({ priority }) => priority.isIncremental)];
}
