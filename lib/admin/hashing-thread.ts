/**
 * A thread for the slow password hashes, so that they hold no event loop that answers requests.
 *
 * It starts with the first job, ends when there was none for a while, and is replaced when it dies. It knows nothing but the
 * jobs: a user file that is read again does not concern it.
 */
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { startUnrefTimer, type StartTimer } from '../base/timer.js';
import { defer, type Deferred } from '../base/deferred.js';
import { describeError, ProxyError } from '../domain/errors.js';
import type { Logger } from '../log/logger.js';

export interface HashJob {
  readonly id: number;
  /** As in the user file, one that `readHash` can read. */
  readonly hash: string;
  readonly password: string;
  /** To be done before ordinary jobs, also before the rest of one that has begun. */
  readonly isUrgent: boolean;
}

export interface HashResult {
  readonly id: number;
  readonly isRight: boolean;
}

export interface HashingThreadOptions {
  readonly log: Logger;
  /** Milliseconds without a job after which the thread ends. A start takes 50 ms. @default 30,000 */
  readonly idleMs?: number;
  /** @default a timer that does not keep the process alive */
  readonly startTimer?: StartTimer;
  /** The program of the thread. For tests. */
  readonly program?: URL;
}

const DEFAULT_IDLE_MS = 30_000;
/** The thread needs 6 MB. If it takes much more, that is a fault: it ends the thread rather than the process. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 16 };
/** Found from `lib/admin` as well as from `dist/chunks`, where the build puts this file. */
const PROGRAM = new URL(`../admin/hashing-thread-main${extname(import.meta.url)}`, import.meta.url);

export class HashingThread {
  readonly #options: HashingThreadOptions;
  readonly #startTimer: StartTimer;
  readonly #jobs = new Map<number, Deferred<boolean>>();
  #worker: Worker | undefined;
  #lastId = 0;
  #cancelIdle: () => void = () => undefined;

  constructor(options: HashingThreadOptions) {
    this.#options = options;
    this.#startTimer = options.startTimer ?? startUnrefTimer;
  }

  get isRunning(): boolean {
    return this.#worker !== undefined;
  }

  /**
   * Whether the password is the one of the hash.
   *
   * @throws ProxyError ERR_INTERNAL: the thread has died over it, or could not be started.
   */
  check(job: Omit<HashJob, 'id'>): Promise<boolean> {
    this.#cancelIdle();
    const id = ++this.#lastId;
    const result = defer<boolean>();
    this.#jobs.set(id, result);
    try {
      this.#worker ??= this.#start();
      this.#worker.postMessage({ ...job, id } satisfies HashJob);
    } catch (thrown) {
      this.#fail(this.#worker, thrown);
    }
    return result.promise;
  }

  /** Ends the thread. A job under way fails. */
  async close(): Promise<void> {
    this.#cancelIdle();
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(this.#options.program ?? PROGRAM, {
      name: 'password hashes',
      resourceLimits: RESOURCE_LIMITS,
    });
    worker.on('message', ({ id, isRight }: HashResult) => {
      this.#jobs.get(id)?.resolve(isRight);
      this.#jobs.delete(id);
      if (this.#jobs.size === 0) this.#waitIdle(worker);
    });
    worker.on('error', (error) => this.#fail(worker, error));
    worker.on('exit', (code) => this.#fail(worker, new Error(`the thread has ended with code ${code}`)));
    // After the listeners are set: adding the one for messages makes Node keep the process alive again.
    worker.unref();
    return worker;
  }

  #waitIdle(worker: Worker): void {
    this.#cancelIdle = this.#startTimer(() => {
      // The next job starts another, while this one is still ending.
      this.#worker = undefined;
      void worker.terminate();
    }, this.#options.idleMs ?? DEFAULT_IDLE_MS);
  }

  /** A thread that dies emits `error` and `exit`: the second finds that the thread has been dropped, and does nothing. */
  #fail(worker: Worker | undefined, reason: unknown): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    if (this.#jobs.size === 0) return;
    this.#options.log.err('the thread that checks passwords has died: those under way are not checked', {
      passwords: this.#jobs.size,
      error: describeError(reason),
    });
    for (const job of this.#jobs.values()) {
      job.reject(new ProxyError('ERR_INTERNAL', 'the password could not be checked; try again'));
    }
    this.#jobs.clear();
  }
}
