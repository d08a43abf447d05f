/**
 * Logs failed handshakes: one line each at info, with what the client offered and why it failed.
 *
 * Ten lines a second at most; how many were left out is said at the end of that second. At debug every line is written. A client
 * that connects and goes without a byte of TLS (a health check, a scan of ports) is no failure, and is said at debug only, as
 * are connections over the limits, of which there is a notice, and handshakes of the program itself.
 */
import { startUnrefTimer, type StartTimer } from '../base/timer.js';
import type { Logger } from '../log/logger.js';
import { readOffer } from '../tls/client-offer.js';
import type { FailedHandshake } from '../tls/failed-handshake.js';

export interface FailedHandshakesOptions {
  readonly log: Logger;
  /** The time in milliseconds, from any origin. */
  readonly now: () => number;
  /** @default a timer that does not keep the process alive */
  readonly startTimer?: StartTimer;
}

const MAX_LINES = 10;
const WINDOW_MS = 1_000;

export class FailedHandshakes {
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #startTimer: StartTimer;
  #windowStartMs = -Infinity;
  #lines = 0;
  #leftOut = 0;
  #cancelTimer: (() => void) | undefined;

  constructor({ log, now, startTimer = startUnrefTimer }: FailedHandshakesOptions) {
    this.#log = log;
    this.#now = now;
    this.#startTimer = startTimer;
  }

  /** @param isOwn it is the program that made it, to see what clients are served. */
  note(failure: FailedHandshake, isOwn = false): void {
    const isDebug = this.#log.enabled('debug');
    if (isOwn || failure.isSilent || failure.reason === 'too-many-connections') {
      if (isDebug) this.#log.debug('handshake failed', fieldsOf(failure));
      return;
    }
    if (!this.#log.enabled('info')) return;
    if (isDebug || this.#mayWrite()) this.#log.info('handshake failed', fieldsOf(failure));
    else this.#leaveOut();
  }

  /** Logs now how many lines were left out: before an exit. */
  flush(): void {
    this.#cancelTimer?.();
    this.#sayLeftOut();
  }

  #mayWrite(): boolean {
    const nowMs = this.#now();
    if (nowMs - this.#windowStartMs >= WINDOW_MS) {
      this.#windowStartMs = nowMs;
      this.#lines = 0;
    }
    if (this.#lines >= MAX_LINES) return false;
    this.#lines += 1;
    return true;
  }

  #leaveOut(): void {
    this.#leftOut += 1;
    this.#cancelTimer ??= this.#startTimer(
      () => this.#sayLeftOut(),
      this.#windowStartMs + WINDOW_MS - this.#now(),
    );
  }

  #sayLeftOut(): void {
    this.#cancelTimer = undefined;
    if (this.#leftOut === 0) return;
    this.#log.info('more handshakes failed than are logged', { leftOut: this.#leftOut });
    this.#leftOut = 0;
  }
}

function fieldsOf({
  handshake,
  reason,
  detail,
  code,
  client,
  hello,
}: FailedHandshake): Record<string, string | undefined> {
  return { handshake, reason, detail, code, client, ...(hello !== undefined && readOffer(hello)) };
}
