/**
 * Ends HTTP/2 sessions that nothing else ends, towards clients and towards backends.
 *
 * Node leaves four kinds of them, with their connections, for ever:
 *
 *  1. After a connection error of the peer's (RFC 9113 §5.4.1) nghttp2 sends GOAWAY and is done with the session. Node 20 does
 *     not hear of half of these errors (a frame of a wrong size, fields that are no HPACK, …), and reads no more, so that it
 *     does not see the peer's end either. Node 26 destroys the session.
 *  2. Where the peer has reset the connection and TLS finds out by writing, Node 20 waits for that write, and reads no more.
 *  3. A session that has been closed in order waits for the peer to close the connection.
 *  4. A session whose peer takes nothing waits for what was written to go out, also once it is closed.
 *
 * One clock looks at all sessions, and costs requests nothing. A session of the first kind is told by a PING: where a session has
 * become silent it is made to send one, and one that is done sends nothing. One PING for each silence is enough: only by what a
 * session reads can it become one of these.
 */
import type { Socket } from 'node:net';
import type { SendQueues } from './send-queues.js';

/** The part of Node's HTTP/2 session that the watch uses. */
export interface WatchableSession {
  readonly closed: boolean;
  readonly destroyed: boolean;
  ping(onAnswer: (error: Error | null) => void): boolean;
  goaway(): void;
  destroy(): void;
  once(event: 'close', listener: () => void): unknown;
}

export interface WatchOptions {
  /** What carries the session. With TLS it counts decrypted bytes. */
  readonly socket: Pick<Socket, 'bytesRead' | 'bytesWritten'>;
  /** How long a peer may stand still while there are bytes for it. */
  readonly stallMs: number;
  /** Whether the session may be made to send a PING. Servers of gRPC count PINGs, and hang up after too many. */
  readonly isProbed: boolean;
  /** How many streams are open. */
  streams(): number;
  /** Closes the connection, whatever is under way. */
  cut(): void;
  /** The bytes of the session that are still to be sent; undefined where Node does not tell. */
  queues(): SendQueues | undefined;
  /** Called once a second as long as the session is not destroyed, for others that look at it. */
  onTick?(): void;
}

/** Calls back again and again until the returned function is called. */
export type StartClock = (onTick: () => void, intervalMs: number) => () => void;

const TICK_MS = 1_000;
/** After so many ticks without a change a session is suspect. */
const STILL_TICKS = 3;
/** The longest wait for a peer's close after ours, as in `proxy/downstream/linger.ts`. */
const LINGER_TICKS = 5;
/** The frame that answers a PING. */
const PING_BYTES = 17;

export class Http2Watch {
  readonly #startClock: StartClock;
  readonly #sessions = new Set<WatchedSession>();
  #stopClock: (() => void) | undefined;

  constructor(startClock: StartClock = startUnrefClock) {
    this.#startClock = startClock;
  }

  /** Watches a session until it is closed. */
  add(session: WatchableSession, options: WatchOptions): void {
    const watched = new WatchedSession(session, options);
    this.#sessions.add(watched);
    session.once('close', () => this.#sessions.delete(watched));
    this.#stopClock ??= this.#startClock(() => this.#onTick(), TICK_MS);
  }

  #onTick(): void {
    for (const session of this.#sessions) session.onTick();
    if (this.#sessions.size > 0) return;
    this.#stopClock?.();
    this.#stopClock = undefined;
  }
}

class WatchedSession {
  readonly #session: WatchableSession;
  readonly #options: WatchOptions;
  /** Destroyed, or closed with nothing under way. */
  #isOver = false;
  /** At the last tick. */
  #readBytes = 0;
  #queuedBytes = 0;
  /** Ticks since the peer has sent or taken something; when it is over: has taken something. */
  #stillTicks = 0;
  /** What had been read when the session was last seen to send. */
  #provenBytes = 0;

  constructor(session: WatchableSession, options: WatchOptions) {
    this.#session = session;
    this.#options = options;
  }

  onTick(): void {
    if (!this.#session.destroyed) this.#options.onTick?.();
    const { socket, stallMs, isProbed } = this.#options;
    const { bytesRead } = socket;
    const queues = this.#options.queues();
    if (queues === undefined) return;
    const queuedBytes = queues.inTls + queues.inKernel;
    const isOver = this.#session.destroyed || (this.#session.closed && this.#options.streams() === 0);
    const isStill =
      isOver === this.#isOver &&
      queuedBytes === this.#queuedBytes &&
      (isOver || bytesRead === this.#readBytes);
    this.#stillTicks = isStill ? this.#stillTicks + 1 : 0;
    this.#isOver = isOver;
    this.#readBytes = bytesRead;
    this.#queuedBytes = queuedBytes;
    if (this.#stillTicks < STILL_TICKS) return;
    if (queuedBytes > 0) {
      const isLost = queues.inKernel === 0;
      if (isLost || this.#stillTicks * TICK_MS >= stallMs) this.#cut();
    } else if (isOver) {
      if (this.#stillTicks >= LINGER_TICKS) this.#cut();
    } else if (isProbed && bytesRead !== this.#provenBytes) {
      this.#probe();
    }
  }

  /** To be called when nothing is queued: what the session sends then goes to the socket at once. */
  #probe(): void {
    const session = this.#session;
    const { socket } = this.#options;
    const { bytesRead, bytesWritten } = socket;
    // A closed session sends no PING, but sends its GOAWAY once more, which is not answered.
    if (session.closed) session.goaway();
    else {
      session.ping((error) => {
        // If nothing but the answer to the PING was read, the session is as silent as before: it is not probed again.
        if (error === null && socket.bytesRead === bytesRead + PING_BYTES)
          this.#provenBytes = socket.bytesRead;
      });
    }
    // Node sends at the beginning of the next immediates.
    setImmediate(() => {
      if (socket.bytesWritten > bytesWritten) this.#provenBytes = bytesRead;
      else this.#cut();
    });
  }

  #cut(): void {
    // Ends the streams of the session first, so that those who wait for them are told.
    this.#session.destroy();
    this.#options.cut();
  }
}

function startUnrefClock(onTick: () => void, intervalMs: number): () => void {
  const timer = setInterval(onTick, intervalMs).unref();
  return () => clearInterval(timer);
}
