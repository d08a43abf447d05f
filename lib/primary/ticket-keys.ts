/**
 * The session-ticket keys that all workers share, rotated by the primary.
 *
 * Node takes one key at a time: after a rotation, tickets of the old key cost their owner one full handshake.
 */
import { randomBytes } from 'node:crypto';
import { TICKET_KEY_BYTES } from '../tls/secure-context.js';

const ROTATE_EVERY_MS = 12 * 60 * 60 * 1000;

export class TicketKeys {
  #current = randomBytes(TICKET_KEY_BYTES).toString('base64');
  readonly #timer: NodeJS.Timeout;

  /** @param onRotate told of each new key. */
  constructor(onRotate: (ticketKeys: string) => void, everyMs = ROTATE_EVERY_MS) {
    this.#timer = setInterval(() => {
      this.#current = randomBytes(TICKET_KEY_BYTES).toString('base64');
      onRotate(this.#current);
    }, everyMs);
    this.#timer.unref();
  }

  /** 48 bytes, base64. */
  get current(): string {
    return this.#current;
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
