/**
 * One worker process, as the primary sees it: forked, given its settings and listening handles, asked over the bus, drained.
 */
import type { Worker } from 'node:cluster';
import type { SendHandle } from 'node:child_process';
import { BusEndpoint, type Handlers } from '../bus/endpoint.js';
import type { HotCertificate } from '../domain/cache-status.js';
import type { WorkerSettings } from '../config/worker-settings.js';
import {
  BUS_VERSION,
  type ListenMessage,
  type ListenRole,
  type PrimaryToWorker,
  type WorkerToPrimary,
} from '../bus/messages.js';
import { portToWorker } from '../bus/process-port.js';
import { systemClock } from '../base/clock.js';
import { defer } from '../base/deferred.js';
import { describeError, environmentError } from '../domain/errors.js';
import type { Logger } from '../log/logger.js';
import { forkWorker } from './fork-worker.js';

const START_DEADLINE_MS = 20_000;
/** Certificates in one message: some 200 KB, and 40 ms of the worker's time on Node 20. */
const WARM_AT_ONCE = 25;
/** Added to the drain time-out, at which workers cut what is left themselves: time to write their last log lines. */
const KILL_AFTER_MS = 1_000;
/** What ends a process that is not ready for it yet, when it is sent to the whole group; the primary lives on. */
const GROUP_SIGNALS: readonly (string | null)[] = ['SIGHUP', 'SIGUSR1'];
/** The same, of those that end the primary, too. */
const STOP_SIGNALS: readonly (string | null)[] = ['SIGTERM', 'SIGINT', 'SIGQUIT'];

/** What workers accept on. */
export interface WorkerHandle {
  readonly role: ListenRole;
  /** Among those of its role, from 0. */
  readonly index: number;
  /** See `SharedHandle`. */
  readonly native: unknown;
}

export interface WorkerOptions {
  readonly handles: readonly WorkerHandle[];
  /** What a worker may ask of the primary, but for `hello` and `ready`. @param workerId no other worker has it, ever */
  handlers(this: void, workerId: number): Omit<Handlers<WorkerToPrimary>, 'hello' | 'ready'>;
  /** The settings that a worker starts with. */
  settings(): WorkerSettings;
  /** What a worker is given before it accepts; the hottest last. */
  hotCertificates(): readonly HotCertificate[];
  readonly log: Logger;
}

export interface WorkerEvents {
  /** It has given a sign of life. */
  onHeard(worker: WorkerProcess): void;
  /** @param how exit code or signal, in words. */
  onExit(worker: WorkerProcess, how: string): void;
}

export class WorkerProcess {
  readonly startedAtMs = performance.now();
  readonly #options: WorkerOptions;
  readonly #events: WorkerEvents;
  readonly #worker: Worker;
  readonly #bus: BusEndpoint<WorkerToPrimary, PrimaryToWorker>;
  readonly #ready = defer<void>();
  #isGreeted = false;
  #isAccepting = false;
  #isDraining = false;
  /** It is ended by us, without a word to it. */
  #isKilled = false;
  /** What has ended it, where that is a signal. */
  #signal: string | null = null;
  /** Why there never was a process. */
  #forkError: Error | undefined;
  #hasFailed = false;

  /**
   * Forks it.
   *
   * @throws ProxyError ERR_ENVIRONMENT: the system has no process to give. Others of its errors end it, a moment later.
   */
  constructor(options: WorkerOptions, events: WorkerEvents) {
    this.#options = options;
    this.#events = events;
    this.#worker = forkWorker();
    this.#ready.promise.catch(() => undefined);
    this.#bus = new BusEndpoint<WorkerToPrimary, PrimaryToWorker>(portToWorker(this.#worker), {
      ...options.handlers(this.#worker.id),
      hello: () => this.#onHello(),
      ready: () => this.#onReady(),
    });
    this.#worker.on('error', (error) => {
      if (this.pid === undefined) this.#onForkFailed(error);
      else if (this.#isEnding) return;
      else options.log.err('worker process failed', { error: describeError(error) });
    });
    this.#worker.once('exit', (code, signal) => this.#onExit(code, signal));
  }

  /** No other worker has it, ever. */
  get id(): number {
    return this.#worker.id;
  }

  get pid(): number | undefined {
    return this.#worker.process.pid;
  }

  /** Settles when every listener of the worker accepts, or rejects when it dies before. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** It hears the bus. Before that it needs to be told nothing: it gets the settings of the moment when it says hello. */
  get isGreeted(): boolean {
    return this.#isGreeted;
  }

  get isAccepting(): boolean {
    return this.#isAccepting;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** False from the moment that it dies; its exit event comes a moment later. */
  get isConnected(): boolean {
    return this.#worker.isConnected();
  }

  /** A signal to the whole process group has ended it, before it could ignore that. */
  get isStruck(): boolean {
    return !this.#isGreeted && GROUP_SIGNALS.includes(this.#signal);
  }

  /** The same of a signal that ends the primary, which may hear of it a moment later. */
  get isStruckToStop(): boolean {
    return !this.#isGreeted && STOP_SIGNALS.includes(this.#signal);
  }

  /** It has ended otherwise than it should: not by us, nor as it was told to. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** That nothing more reaches it is no failure. */
  get #isEnding(): boolean {
    return this.#isDraining || this.#isKilled;
  }

  /** Asks something of it. Rejects when there is no answer in time, or it dies. */
  call<Op extends keyof PrimaryToWorker>(
    op: Op,
    params: PrimaryToWorker[Op]['params'],
    deadlineMs: number,
  ): Promise<PrimaryToWorker[Op]['result']> {
    return this.#bus.call(op, params, deadlineMs);
  }

  kill(): void {
    this.#isKilled = true;
    this.#worker.process.kill('SIGKILL');
  }

  /** Lets it finish what is under way, and ends it after `timeoutMs`; returns when it has exited. */
  async drain(timeoutMs: number, idleGraceMs: number): Promise<void> {
    const worker = this.#worker;
    this.#isDraining = true;
    const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    if (worker.isDead()) return;
    // It cannot hear of the drain yet, and has no connection that could be lost.
    if (!this.#isGreeted) this.kill();
    const kill = setTimeout(() => this.kill(), timeoutMs + KILL_AFTER_MS);
    try {
      await this.#bus.call('drain', { timeoutMs, idleGraceMs }, timeoutMs + KILL_AFTER_MS);
    } catch {
      // It has exited before its answer, or hangs: the exit event or the kill below tells.
    }
    await exited;
    clearTimeout(kill);
  }

  #onHello(): Record<string, never> {
    this.#isGreeted = true;
    this.#events.onHeard(this);
    this.#introduce().catch((error: unknown) => {
      // It was told to end meanwhile, or was killed, and has.
      if (this.#isEnding) return;
      this.#options.log.err('worker did not start', { workerPid: this.pid, error: describeError(error) });
      this.kill();
    });
    return {};
  }

  #onReady(): Record<string, never> {
    this.#isAccepting = true;
    this.#events.onHeard(this);
    this.#ready.resolve();
    return {};
  }

  /** Node tells of no end of a process that never was. Its cluster waits for one, as we do. */
  #onForkFailed(error: Error): void {
    if (this.#forkError !== undefined) return;
    this.#forkError = error;
    this.#worker.process.emit('exit', null, null);
  }

  #onExit(code: number | null, signal: string | null): void {
    const how = this.#forkError?.message ?? (signal === null ? `exit code ${code ?? 'unknown'}` : signal);
    this.#bus.close();
    this.#signal = signal;
    this.#hasFailed = !this.#isKilled && (signal !== null || code !== 0);
    this.#ready.reject(
      environmentError(
        this.#forkError === undefined
          ? `a worker ended before it was ready (${how})`
          : `a worker cannot be started: ${how}`,
      ),
    );
    this.#events.onExit(this, how);
  }

  /** Settings first, then the handles. */
  async #introduce(): Promise<void> {
    const { handles } = this.#options;
    await this.#bus.call('configure', { settings: this.#options.settings() }, START_DEADLINE_MS);
    const hot = this.#options.hotCertificates();
    const atMs = systemClock.now();
    const warming: Promise<unknown>[] = [];
    // All in one go: an expire that comes meanwhile is sent behind them.
    for (let i = 0; i < hot.length; i += WARM_AT_ONCE) {
      const value = hot.slice(i, i + WARM_AT_ONCE);
      warming.push(this.#bus.call('warm', { value, atMs }, START_DEADLINE_MS));
    }
    await Promise.all(warming);
    // It may have been told to end meanwhile: it must not begin to accept.
    if (this.#isEnding) return;
    for (const { role, index, native } of handles) {
      const message: ListenMessage = { bus: BUS_VERSION, kind: 'listen', role, index, count: handles.length };
      this.#worker.send(message, native as SendHandle);
    }
  }
}
