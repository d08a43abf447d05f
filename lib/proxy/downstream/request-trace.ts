/**
 * The way of a request to its backends, for the access log: it makes one where its lines tell of that, and whoever passes the request on
 * writes it. Nobody here reads it.
 */

export class RequestTrace {
  /** The backend that was asked last. */
  backend: string | undefined;
  /** How many were asked; the same one twice counts twice. */
  attempts = 0;
  /** What the last one answered; undefined where it did not. */
  status: number | undefined;
  /** How long it took to. */
  headMs: number | undefined;
  /** Of a connection that has changed its protocol: how many bytes the client has sent since. */
  tunnelBytes: (() => number) | undefined;
  readonly #isTimed: boolean;
  #sentAtMs = 0;

  /** @param isTimed whether `headMs` is wanted. */
  constructor(isTimed: boolean) {
    this.#isTimed = isTimed;
  }

  /** The request goes to a backend. */
  sent(backend: string): void {
    this.backend = backend;
    this.attempts += 1;
    this.status = undefined;
    this.headMs = undefined;
    if (this.#isTimed) this.#sentAtMs = performance.now();
  }

  /** It has answered: the head is there. */
  answered(status: number): void {
    this.status = status;
    if (this.#isTimed) this.headMs = performance.now() - this.#sentAtMs;
  }
}
