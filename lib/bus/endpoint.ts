/**
 * One end of the bus: requests with a deadline and a cap, answers matched by number.
 *
 * It knows nothing of processes: a `BusPort` is whatever carries messages (cluster IPC, a MessagePort in tests).
 * A request that is not answered in time, or that would be one too many, fails at once with a `ProxyError`, so that a
 * hung peer slows nobody who could do without its answer. Errors cross as `{ code, message }`.
 */
import { describeError, ProxyError, type ErrorCode } from '../domain/errors.js';
import { BUS_VERSION, parseEnvelope, type Envelope, type Operations } from './messages.js';

export interface BusPort {
  post(message: Envelope): void;
  onMessage(listener: (message: unknown) => void): void;
  onClose(listener: () => void): void;
}

/** What an end answers: one function an operation. */
export type Handlers<Served extends Operations<Served>> = {
  readonly [Op in keyof Served]: (
    params: Served[Op]['params'],
  ) => Served[Op]['result'] | Promise<Served[Op]['result']>;
};

export interface EndpointOptions {
  /** Requests under way at once; one more fails with ERR_BUS_BUSY. @default 10,000 */
  readonly maxInFlight?: number;
  /** Told of each request that was not answered in time. */
  readonly onDeadline?: () => void;
}

const MAX_IN_FLIGHT = 10_000;

interface Waiter {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: ProxyError) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * @typeParam Served the operations that this end answers.
 * @typeParam Called the operations that the other end answers.
 */
export class BusEndpoint<Served extends Operations<Served>, Called extends Operations<Called>> {
  readonly #port: BusPort;
  readonly #handlers: Handlers<Served>;
  readonly #maxInFlight: number;
  readonly #onDeadline: (() => void) | undefined;
  readonly #waiters = new Map<number, Waiter>();
  #nextId = 1;
  #closed = false;

  constructor(port: BusPort, handlers: Handlers<Served>, options: EndpointOptions = {}) {
    this.#port = port;
    this.#handlers = handlers;
    this.#maxInFlight = options.maxInFlight ?? MAX_IN_FLIGHT;
    this.#onDeadline = options.onDeadline;
    port.onMessage((message) => this.#receive(message));
    port.onClose(() => this.close());
  }

  /** Requests that wait for an answer now. */
  get inFlight(): number {
    return this.#waiters.size;
  }

  /**
   * Asks the other end.
   *
   * @param deadlineMs how long to wait for the answer.
   * @throws ProxyError ERR_BUS_DEADLINE, ERR_BUS_BUSY, ERR_BUS_CLOSED, or the error that the other end answered.
   */
  call<Op extends keyof Called & string>(
    op: Op,
    params: Called[Op]['params'],
    deadlineMs: number,
  ): Promise<Called[Op]['result']> {
    if (this.#closed) return Promise.reject(new ProxyError('ERR_BUS_CLOSED', `${op}: the bus is closed`));
    if (this.#waiters.size >= this.#maxInFlight) {
      return Promise.reject(
        new ProxyError('ERR_BUS_BUSY', `${op}: ${this.#maxInFlight} requests are under way already`),
      );
    }
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiters.delete(id);
        this.#onDeadline?.();
        reject(new ProxyError('ERR_BUS_DEADLINE', `${op}: no answer within ${deadlineMs} ms`));
      }, deadlineMs);
      this.#waiters.set(id, { resolve, reject, timer });
      this.#port.post({ bus: BUS_VERSION, kind: 'request', id, op, params });
    });
  }

  /** Fails what is under way; the port itself is not closed. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const [id, waiter] of this.#waiters) {
      clearTimeout(waiter.timer);
      this.#waiters.delete(id);
      waiter.reject(new ProxyError('ERR_BUS_CLOSED', 'the bus was closed'));
    }
  }

  #receive(message: unknown): void {
    const envelope = parseEnvelope(message);
    switch (envelope.kind) {
      case 'foreign':
        // Cluster's own messages and those of an embedder's program pass by here too.
        return;
      case 'mismatch':
        // Both ends come from one build, unless files were replaced under a running program.
        if (envelope.isRequest) this.#post(envelope.id, new ProxyError('ERR_BUS_PROTOCOL', envelope.reason));
        else this.#take(envelope.id)?.reject(new ProxyError('ERR_BUS_PROTOCOL', envelope.reason));
        return;
      case 'request':
        void this.#serve(envelope.id, envelope.op, envelope.params);
        return;
      case 'result':
        this.#take(envelope.id)?.resolve(envelope.result);
        return;
      case 'error':
        this.#take(envelope.id)?.reject(
          new ProxyError(envelope.error.code as ErrorCode, envelope.error.message),
        );
    }
  }

  #take(id: number): Waiter | undefined {
    const waiter = this.#waiters.get(id);
    if (waiter !== undefined) {
      this.#waiters.delete(id);
      clearTimeout(waiter.timer);
    }
    return waiter;
  }

  async #serve(id: number, op: string, params: unknown): Promise<void> {
    let result: unknown;
    try {
      if (!Object.hasOwn(this.#handlers, op)) {
        throw new ProxyError('ERR_BUS_PROTOCOL', `unknown operation ${op}`);
      }
      result = await this.#handlers[op as keyof Served](params);
    } catch (thrown) {
      this.#post(id, thrown);
      return;
    }
    if (!this.#closed) this.#port.post({ bus: BUS_VERSION, kind: 'result', id, result });
  }

  /** Answers a request with an error. */
  #post(id: number, thrown: unknown): void {
    const code = thrown instanceof ProxyError ? thrown.code : 'ERR_INTERNAL';
    const error = { code, message: describeError(thrown) };
    if (!this.#closed) this.#port.post({ bus: BUS_VERSION, kind: 'error', id, error });
  }
}
