/**
 * One reload at a time. Requests that come while one runs fold into a single reload after it, so that what had changed by the time
 * of each request is read.
 */
export class Reloads {
  readonly #reload: () => Promise<void>;
  #running: Promise<void> | undefined;
  /** The reload that follows the running one: further requests fold into it. */
  #waiting: Promise<void> | undefined;

  /** @param reload never rejects. */
  constructor(reload: () => Promise<void>) {
    this.#reload = reload;
  }

  /** The reload that runs now. */
  get running(): Promise<void> | undefined {
    return this.#running;
  }

  /** Reloads. @returns when a reload has ended that began at this call or after it. */
  request(): Promise<void> {
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
