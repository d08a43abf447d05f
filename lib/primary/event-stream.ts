/**
 * The stream of snapshots that the dashboard lives on: server-sent events (WHATWG HTML §9.2), one a second. One snapshot is made for
 * all who listen, and none where nobody does. Whoever does not take what was sent misses snapshots, and holds up nobody.
 */
import type { ServerResponse } from 'node:http';
import { startUnrefTimer, type StartTimer } from '../base/timer.js';

export interface EventStreamOptions {
  /** What is sent; plain JSON. */
  snapshot(this: void): unknown;
  /** @default a timer that does not keep the process alive */
  readonly startTimer?: StartTimer;
}

const EVERY_MS = 1_000;
/** Each holds a connection, and what it has not taken. */
const MAX_LISTENERS = 32;
/** With so much not taken a listener misses the next snapshot. */
const MAX_UNSENT_BYTES = 1_048_576;

export class EventStream {
  readonly #snapshot: () => unknown;
  readonly #startTimer: StartTimer;
  readonly #listeners = new Set<ServerResponse>();
  #cancel: (() => void) | undefined;

  constructor({ snapshot, startTimer = startUnrefTimer }: EventStreamOptions) {
    this.#snapshot = snapshot;
    this.#startTimer = startTimer;
  }

  /** Sends to a client from now on, until it goes. */
  add(response: ServerResponse): void {
    // It may have gone while its password was looked at.
    if (response.destroyed || response.closed) return;
    if (this.#listeners.size >= MAX_LISTENERS) {
      response.writeHead(503, { 'retry-after': '10' }).end();
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    this.#listeners.add(response);
    response.on('close', () => {
      this.#listeners.delete(response);
      if (this.#listeners.size === 0) this.#stop();
    });
    response.write(this.#message());
    this.#cancel ??= this.#startTimer(this.#send, EVERY_MS);
  }

  close(): void {
    this.#stop();
    for (const listener of this.#listeners) listener.end();
  }

  readonly #send = (): void => {
    const message = this.#message();
    for (const listener of this.#listeners) {
      if (listener.writableLength < MAX_UNSENT_BYTES) listener.write(message);
    }
    this.#cancel = this.#startTimer(this.#send, EVERY_MS);
  };

  #message(): string {
    return `data: ${JSON.stringify(this.#snapshot())}\n\n`;
  }

  #stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
