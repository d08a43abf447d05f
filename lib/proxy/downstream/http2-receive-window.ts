/**
 * Bounds what a client may send on an HTTP/2 connection before backends have taken it.
 *
 * Node reopens the connection's window as soon as bytes arrive, so that only the windows of the streams bound what is held: together
 * they are many times as large. So the connection's window is shut while its streams hold a whole window for backends that take no
 * more. At most two windows are held, since the client may still send what it was allowed before.
 */
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';

export interface WindowSizes {
  /** The connection's window. With so much held it is shut. */
  readonly bytes: number;
  /** With less than so much held it is opened again. */
  readonly openBelowBytes: number;
}

/**
 * What a window is opened with. nghttp2 sends nothing for a window that grows to what it was before, but makes up for it with
 * the next DATA: the client must be able to send some.
 */
const KICK_BYTES = 1_024;

export class ReceiveWindow {
  readonly #session: ServerHttp2Session;
  readonly #sizes: WindowSizes;
  /** Streams whose bytes nobody takes at present. */
  readonly #waiting = new Set<ServerHttp2Stream>();
  #isShut = false;
  /** By how much the window was made smaller and not larger again: nghttp2 takes off what it is made larger by first. */
  #reducedBytes = 0;
  #isSending = false;
  #isChanged = false;

  constructor(session: ServerHttp2Session, sizes: WindowSizes) {
    this.#session = session;
    this.#sizes = sizes;
    session.setLocalWindowSize(sizes.bytes);
  }

  /** Takes what a stream holds into account, until it is closed. */
  follow(stream: ServerHttp2Stream): void {
    if (stream.endAfterHeaders) return;
    const wait = (): void => {
      this.#waiting.add(stream);
      this.#adjust();
    };
    const goOn = (): void => {
      if (this.#waiting.delete(stream)) this.#adjust();
    };
    if (stream.isPaused()) wait();
    stream.on('pause', wait);
    stream.on('resume', goOn);
    stream.once('close', goOn);
    // There is no event for bytes that arrive while a stream is paused.
    const push = stream.push.bind(stream);
    stream.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
      const takesMore = push(chunk, encoding);
      if (this.#waiting.has(stream)) this.#adjust();
      return takesMore;
    };
  }

  #adjust(): void {
    if (this.#session.destroyed) return;
    let heldBytes = 0;
    for (const { readableLength } of this.#waiting) heldBytes += readableLength;
    if (this.#isShut ? heldBytes < this.#sizes.openBelowBytes : heldBytes >= this.#sizes.bytes) {
      this.#isShut = !this.#isShut;
      if (this.#isShut) this.#shut();
      else this.#open();
    }
  }

  #shut(): void {
    this.#session.setLocalWindowSize(0);
    this.#reducedBytes += this.#sizes.bytes;
  }

  #open(): void {
    const { bytes } = this.#sizes;
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
