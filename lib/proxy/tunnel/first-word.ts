/**
 * Whether a backend of TCP mode works: it has said something, or has kept its connection for a moment.
 *
 * That it was connected says little. What forwards to a service that is down (a published port of a container) takes every connection and
 * closes it: as it never has one under way, it would be given nearly all new ones, and look well. So a backend that ends or fails before
 * its first byte, and before its client has ended, has failed.
 *
 * A client that goes first says nothing of it. Clients that send what has a backend close without a word can have it left out for a
 * while, unless others are served meanwhile; where all are left out they are asked still. An only backend is never left out, and gets no
 * failure here: those would be counted against its restarts (`attempts.ts`).
 */
import type { Lease } from '../upstream/balancer.js';

/** A backend that has not ended for so long works, though it may be silent: the client speaks first. */
const MOMENT_MS = 1_000;

export interface FirstWordParts {
  readonly lease: Lease<unknown>;
  /** Whether the route has no other backend. */
  readonly isOnly: boolean;
  /** Told when the backend has failed. */
  readonly onFailure?: (() => void) | undefined;
}

export class FirstWord {
  readonly #parts: FirstWordParts;
  readonly #timer: NodeJS.Timeout;
  #isSettled = false;

  constructor(parts: FirstWordParts) {
    this.#parts = parts;
    this.#timer = setTimeout(() => this.said(), MOMENT_MS).unref();
  }

  /** The backend has sent something. */
  said(): void {
    if (this.#settle()) this.#parts.lease.confirm();
  }

  /** It has ended, or failed, before its client has. */
  gone(): void {
    if (!this.#settle()) return;
    const { lease, isOnly, onFailure } = this.#parts;
    onFailure?.();
    if (!isOnly) lease.release('failed', 'it closed the connection before its first byte');
  }

  /** The connection is over. */
  stop(): void {
    this.#settle();
  }

  #settle(): boolean {
    const isFirst = !this.#isSettled;
    this.#isSettled = true;
    clearTimeout(this.#timer);
    return isFirst;
  }
}
