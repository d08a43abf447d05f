/**
 * PRIORITY_UPDATEs that have come before their streams: they count for more than the field of the request (RFC 9218 §7.1).
 */
import { MAX_CONCURRENT_STREAMS } from '../http2-limits.js';

export class EarlyPriorities {
  readonly #values = new Map<number, string>();

  /** @param value as it came. As many are kept as there may be streams. */
  keep(streamId: number, value: string): void {
    this.#values.delete(streamId);
    this.#values.set(streamId, value);
    if (this.#values.size <= MAX_CONCURRENT_STREAMS) return;
    const [oldest = 0] = this.#values.keys();
    this.#values.delete(oldest);
  }

  /** The stream begins. @returns what was said of it. */
  take(streamId: number): string | undefined {
    if (this.#values.size === 0) return undefined;
    const value = this.#values.get(streamId);
    this.#values.delete(streamId);
    return value;
  }
}
