/**
 * The body of a client's request on its way to the backend.
 *
 * The engine destroys the body that it is given when the backend answers early or fails. That must not destroy the client's
 * connection, on which the answer is still to be sent: what then comes of the body is read and dropped.
 */
import { Readable } from 'node:stream';
import type { ClientRequest } from './request-context.js';

export class RequestBody extends Readable {
  readonly #request: ClientRequest;

  constructor(request: ClientRequest) {
    super();
    this.#request = request;
    request.on('data', this.#onData);
    request.on('end', this.#onEnd);
    request.on('error', this.#onError);
    request.pause();
  }

  override _read(): void {
    this.#request.resume();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#request.off('data', this.#onData);
    this.#request.off('end', this.#onEnd);
    this.#request.resume();
    done(error);
  }

  readonly #onData = (chunk: Buffer): void => {
    if (!this.push(chunk)) this.#request.pause();
  };

  readonly #onEnd = (): void => {
    this.push(null);
  };

  // Stays for good: an error without a listener would end the process.
  readonly #onError = (error: Error): void => {
    this.destroy(error);
  };
}
