/**
 * The session-ticket keys that all workers share, rotated by the primary.
 *
 * The key before the current one is kept: its tickets are taken until the next rotation, and renewed with the current one. OpenSSL
 * takes no session that is older than two hours, so a rotation costs nobody a full handshake.
 */
import { randomBytes } from 'node:crypto';
import { TICKET_KEY_BYTES } from '../tls/session-tickets.js';

const ROTATE_EVERY_MS = 12 * 60 * 60 * 1000;

export class TicketKeys {
  #current: readonly string[] = [newKey()];
  readonly #timer: NodeJS.Timeout;

  /** @param onRotate told of all keys after each rotation. */
  constructor(onRotate: (ticketKeys: readonly string[]) => void, everyMs = ROTATE_EVERY_MS) {
    this.#timer = setInterval(() => {
      this.#current = [newKey(), ...this.#current.slice(0, 1)];
      onRotate(this.#current);
    }, everyMs);
    this.#timer.unref();
  }

  /** 48 bytes each, base64, the newest first: one or two. */
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
