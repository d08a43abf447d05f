/**
 * Bounds what a client may send on an HTTP/2 connection before backends have taken it.
 *
 * The windows are as small as most uploads need, and grow once where the line carries more (`window-growth.ts`): all streams of
 * a connection have windows of one size, since that is a setting.
 *
 * Node reopens the connection's window as soon as bytes arrive, so that only the windows of the streams bound what is held: together
 * they are many times as large. So the connection's window is shut while its streams hold too much for backends that take no
 * more: as much as one stream may hold and `SPARE_BYTES`, so that a single backend that stands still holds up no other upload. Besides
 * that the client may still send what it was allowed before: a connection's window.
 */
import type { ServerHttp2Session } from 'node:http2';
import {
  CONNECTION_WINDOW_BYTES,
  GROWN_CONNECTION_WINDOW_BYTES,
  SPARE_BYTES,
  STREAM_WINDOW_BYTES,
  STREAM_WINDOW_LIMIT_BYTES,
} from '../http2-limits.js';
import { WindowGrowth } from '../window-growth.js';

const MIB = 1024 ** 2;

/** So much less than that has to be held before a shut window is opened. */
const HYSTERESIS_BYTES = MIB;

/**
 * What a window is opened with. nghttp2 sends nothing for a window that grows to what it was before, but makes up for it with
 * the next DATA: the client must be able to send some.
 */
const KICK_BYTES = 1_024;

/** What holds bytes until they are taken. */
export interface Holder {
  readonly heldBytes: number;
}

export class ReceiveWindow {
  readonly #session: ServerHttp2Session;
  readonly #growth = new WindowGrowth({
    startBytes: STREAM_WINDOW_BYTES,
    limitBytes: STREAM_WINDOW_LIMIT_BYTES,
  });
  /** Those of streams that may still get bytes. */
  readonly #open = new Set<Holder>();
  /** Those of them whose bytes nobody takes at present. */
  readonly #waiting = new Set<Holder>();
  #streamBytes = STREAM_WINDOW_BYTES;
  #connectionBytes = CONNECTION_WINDOW_BYTES;
  /** What has come and was taken, when that was last looked at. */
  #takenBytes = 0;
  #receivedBytes = 0;
  #isShut = false;
  /** By how much the window was made smaller and not larger again: nghttp2 takes off what it is made larger by first. */
  #reducedBytes = 0;
  #isSending = false;
  #isChanged = false;

  /** To be made before anything is sent on a session whose settings have a window of `STREAM_WINDOW_BYTES`. */
  constructor(session: ServerHttp2Session) {
    this.#session = session;
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
    const sentAtMs = performance.now();
    // The client acknowledges the settings that the session begins with.
    session.once('localSettings', () => this.#growth.onRoundTrip(performance.now() - sentAtMs));
  }

  /** The window of each stream, in bytes: what a client may have sent on a stream that we have closed. */
  get streamBytes(): number {
    return this.#streamBytes;
  }

  /** Takes what the body of a stream holds into account, until the stream is closed. At first nobody takes it. */
  follow(body: Holder): void {
    this.#open.add(body);
    this.#waiting.add(body);
  }

  /** The stream is closed. */
  leave(body: Holder): void {
    this.#open.delete(body);
    if (this.#waiting.delete(body)) this.#adjust();
  }

  /** Somebody takes what a body that is followed holds, or nobody does any more. */
  onReading(body: Holder, isRead: boolean): void {
    if (isRead) this.#waiting.delete(body);
    else this.#waiting.add(body);
    this.#adjust();
  }

  /** Some of what waited has been taken. */
  onTaken(): void {
    if (this.#growth.isPossible) this.#grow();
    this.#adjust();
  }

  /** A body that is followed has got bytes. */
  onData(body: Holder, bytes: number): void {
    this.#receivedBytes += bytes;
    if (this.#growth.isPossible) this.#grow();
    if (this.#waiting.has(body)) this.#adjust();
  }

  #grow(): void {
    const session = this.#session;
    const takenBytes = this.#receivedBytes - heldBy(this.#open);
    const streamBytes = this.#growth.onTaken(takenBytes - this.#takenBytes, performance.now());
    this.#takenBytes = takenBytes;
    if (streamBytes === undefined || session.destroyed || session.closed || this.#isShut) return;
    this.#streamBytes = streamBytes;
    this.#connectionBytes = GROWN_CONNECTION_WINDOW_BYTES;
    session.setLocalWindowSize(GROWN_CONNECTION_WINDOW_BYTES);
    session.settings({ initialWindowSize: streamBytes });
  }

  #adjust(): void {
    if (this.#session.destroyed) return;
    const heldBytes = heldBy(this.#waiting);
    const shutBytes = this.#streamBytes + SPARE_BYTES;
    if (this.#isShut ? heldBytes < shutBytes - HYSTERESIS_BYTES : heldBytes >= shutBytes) {
      this.#isShut = !this.#isShut;
      if (this.#isShut) this.#shut();
      else this.#reopen();
    }
  }

  #shut(): void {
    this.#session.setLocalWindowSize(0);
    this.#reducedBytes += this.#connectionBytes;
  }

  #reopen(): void {
    const bytes = this.#connectionBytes;
    const withKickBytes = this.#reducedBytes + KICK_BYTES;
    this.#session.setLocalWindowSize(withKickBytes);
    this.#session.setLocalWindowSize(bytes);
    this.#reducedBytes = withKickBytes - bytes;
    this.#send();
  }

  /** Node sends a larger window only together with something else. */
  #send(): void {
    const session = this.#session;
    if (session.closed) {
      session.goaway();
      return;
    }
    this.#isChanged = this.#isSending;
    if (this.#isSending) return;
    this.#isSending = true;
    session.ping(() => {
      this.#isSending = false;
      if (this.#isChanged && !session.destroyed) this.#send();
    });
  }
}

function heldBy(bodies: ReadonlySet<Holder>): number {
  let bytes = 0;
  for (const { heldBytes } of bodies) bytes += heldBytes;
  return bytes;
}
