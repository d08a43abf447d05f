/**
 * The body of a client's request on its way to the backend.
 *
 * The engine destroys the body that it is given when the backend answers early or fails. That must not destroy the client's
 * connection, on which the answer is still to be sent: what then comes of the body is read and dropped.
 */
import { Readable } from 'node:stream';
import type { ClientRequest } from './client-message.js';

export interface RequestBodyOptions {
  /** The longest wait for the next piece, while one is asked for. */
  readonly timeoutMs: number;
  /** Called once, when the body is first read: a client that waits for `100 Continue` may send it. */
  onWanted(): void;
  /** The client has sent nothing for `timeoutMs`. */
  onStalled(): void;
}

export class RequestBody extends Readable {
  readonly #request: ClientRequest;
  readonly #options: RequestBodyOptions;
  /** Runs while the engine waits for the client. */
  #timer: NodeJS.Timeout | undefined;
  #isWanted = false;

  constructor(request: ClientRequest, options: RequestBodyOptions) {
    super();
    this.#request = request;
    this.#options = options;
    request.on('data', this.#onData);
    request.on('end', this.#onEnd);
    request.on('error', this.#onError);
    request.pause();
  }

  override _read(): void {
    if (!this.#isWanted) {
      this.#isWanted = true;
      this.#options.onWanted();
    }
    this.#timer ??= setTimeout(() => this.#options.onStalled(), this.#options.timeoutMs).unref();
    this.#timer.refresh();
    this.#request.resume();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#stopTimer();
    this.#request.off('data', this.#onData);
    this.#request.off('end', this.#onEnd);
    this.#request.resume();
    done(error);
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.push(chunk)) {
      this.#timer?.refresh();
    } else {
      this.#stopTimer();
      this.#request.pause();
    }
  };

  readonly #onEnd = (): void => {
    this.#stopTimer();
    this.push(null);
  };

  // Stays for good: an error without a listener would end the process.
  readonly #onError = (error: Error): void => {
    this.destroy(error);
  };

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
