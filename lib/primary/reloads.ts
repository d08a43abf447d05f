/**
 * One reload at a time. Requests that come while one runs fold into a single reload after it, so that what had changed by the time
 * of each request is read.
 */
export class Reloads<Result> {
  readonly #reload: () => Promise<Result>;
  #running: Promise<Result> | undefined;
  /** The reload that follows the running one: further requests fold into it. */
  #waiting: Promise<Result> | undefined;

  /** @param reload never rejects. */
  constructor(reload: () => Promise<Result>) {
    this.#reload = reload;
  }

  /** The reload that runs now. */
  get running(): Promise<Result> | undefined {
    return this.#running;
  }

  /** Reloads. @returns what has come of a reload that began at this call or after it, when it has ended. */
  request(): Promise<Result> {
    if (this.#running === undefined) {
      this.#running = this.#reload().finally(() => (this.#running = undefined));
      return this.#running;
    }
    const running = this.#running;
    this.#waiting ??= running.then(() => {
      this.#waiting = undefined;
      return this.request();
    });
    return this.#waiting;
  }
}
