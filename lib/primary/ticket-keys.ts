/**
 * The session-ticket keys that all workers share, rotated by the primary.
 *
 * Workers have each key a rotation before tickets are sealed with it: they hear of a rotation one after the other, and a ticket of the
 * first must be taken by the last. The key before the current one is kept: its tickets are taken until the next rotation, and renewed
 * with the current one. OpenSSL takes no session that is older than two hours, so a rotation costs nobody a full handshake.
 */
import { randomBytes } from 'node:crypto';
import { TICKET_KEY_BYTES } from '../tls/session-tickets.js';

const ROTATE_EVERY_MS = 12 * 60 * 60 * 1000;

export class TicketKeys {
  #current: readonly [current: string, next: string, ...last: string[]] = [newKey(), newKey()];
  readonly #timer: NodeJS.Timeout;

  /** @param onRotate told of all keys after each rotation. */
  constructor(onRotate: (ticketKeys: readonly string[]) => void, everyMs = ROTATE_EVERY_MS) {
    this.#timer = setInterval(() => {
      const [last, current] = this.#current;
      this.#current = [current, newKey(), last];
      onRotate(this.#current);
    }, everyMs);
    this.#timer.unref();
  }

  /** 48 bytes each, base64: the one to seal with, the next one, and from the first rotation on the last one. */
  get current(): readonly string[] {
    return this.#current;
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

function newKey(): string {
  return randomBytes(TICKET_KEY_BYTES).toString('base64');
}
